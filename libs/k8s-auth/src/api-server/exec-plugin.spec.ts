import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority, type KeyAndCertificate } from '../../testing/local-cluster/certificates.js';
import { until } from '../http/https-server.fixture.js';
import { ExecPlugin, type ExecPluginSpec } from './exec-plugin.js';

let directory: string;
let clock: FakeClock;
let first: KeyAndCertificate;
let second: KeyAndCertificate;

beforeAll(async () => {
  const authority = await CertificateAuthority.create();
  first = await authority.issue({ subject: 'CN=somebody', usage: 'client' });
  second = await authority.issue({ subject: 'CN=somebody', usage: 'client' });
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'exec-plugin-'));
  clock = new FakeClock();
});

afterEach(() => rmSync(directory, { recursive: true }));

/**
 * A plugin that runs a script. In the script, `run` is the number of the run, and `status(…)` prints an ExecCredential.
 */
function plugin(script: string, spec: Partial<ExecPluginSpec> = {}): ExecPlugin {
  const file = join(directory, 'plugin.cjs');
  writeFileSync(
    file,
    `const { appendFileSync, readFileSync } = require('node:fs');
     appendFileSync(${JSON.stringify(runsFile())}, '.');
     const run = readFileSync(${JSON.stringify(runsFile())}, 'utf8').length;
     const first = ${JSON.stringify(first)}, second = ${JSON.stringify(second)};
     const inSeconds = (seconds) => new Date(${clock.wallMs()} + seconds * 1000).toISOString();
     const status = (status) => console.log(JSON.stringify({ kind: 'ExecCredential', status }));
     ${script}`,
  );
  const context = { clock, environment: { PLAIN: 'yes', OVERRIDDEN: 'no' } };
  return new ExecPlugin({ command: process.execPath, args: [file], ...spec }, context);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const runsFile = () => join(directory, 'runs');
const runs = () => readFileSync(runsFile(), 'utf8').length;
const tokenOf = async (subject: ExecPlugin, forceRefresh = false) =>
  (await subject.credential(forceRefresh)).token;

describe('ExecPlugin keeps a credential', () => {
  it('until its expirationTimestamp', async () => {
    const subject = plugin(`status({ token: 'run-' + run, expirationTimestamp: inSeconds(run * 600) })`);
    expect(await tokenOf(subject)).toBe('run-1');
    await clock.advance(599_999);
    expect(await tokenOf(subject)).toBe('run-1');
    await clock.advance(1);
    expect(await tokenOf(subject)).toBe('run-2');
    expect(runs()).toBe(2);
  });

  it('without expirationTimestamp until the API server refuses it', async () => {
    const subject = plugin(`status({ token: 'run-' + run, expirationTimestamp: null })`);
    expect(await tokenOf(subject)).toBe('run-1');
    await clock.advance(86_400_000);
    expect(await tokenOf(subject)).toBe('run-1');
    expect(await tokenOf(subject, true)).toBe('run-2');
    expect(await tokenOf(subject)).toBe('run-2');
  });

  it('for 5 s until the next run, if the API server refuses every credential', async () => {
    const subject = plugin(`status({ token: 'run-' + run })`);
    await tokenOf(subject);
    for (let n = 0; n < 5; n++) expect(await tokenOf(subject, true)).toBe('run-2');
    await clock.advance(5_000);
    expect(await tokenOf(subject, true)).toBe('run-3');
    expect(runs()).toBe(3);
  });

  it('if a later run fails', async () => {
    const subject = plugin(`if (run === 2) process.exit(1); status({ token: 'run-' + run })`);
    expect(await tokenOf(subject)).toBe('run-1');
    expect(await tokenOf(subject, true)).toBe('run-1');
    await clock.advance(5_000);
    expect(await tokenOf(subject, true)).toBe('run-3');
  });

  it('or a failure: a failing command runs at most once every 5 s', async () => {
    const subject = plugin(`process.exit(1)`);
    for (let n = 0; n < 4; n++) await expect(tokenOf(subject)).rejects.toThrow('ended with 1');
    await clock.advance(5_000);
    await expect(tokenOf(subject)).rejects.toThrow('ended with 1');
    expect(runs()).toBe(2);
  });

  it('with an expirationTimestamp in the past for 5 s, until the next run', async () => {
    const subject = plugin(
      `run === 3 ? process.exit(1) : status({ token: 'run-' + run, expirationTimestamp: inSeconds(-1) })`,
    );
    for (let n = 0; n < 4; n++) expect(await tokenOf(subject)).toBe('run-1');
    await clock.advance(5_000);
    for (let n = 0; n < 4; n++) expect(await tokenOf(subject)).toBe('run-2');
    await clock.advance(5_000);
    await expect(tokenOf(subject)).rejects.toThrow('ended with 1');
    expect(runs()).toBe(3);
  });
});

describe('ExecPlugin and client certificates:', () => {
  it('returns one with or without a token, and the same object for the same certificate', async () => {
    const subject = plugin(`
      const { cert, key } = run < 3 ? first : second;
      status({ clientCertificateData: cert, clientKeyData: key, ...(run === 1 && { token: 't' }), expirationTimestamp: inSeconds(run * 60) });
    `);
    const given = await subject.credential(false);
    expect(given).toEqual({ token: 't', certificate: first });
    await clock.advance(60_000);
    const same = await subject.credential(false);
    expect(same.token).toBeUndefined();
    expect(same.certificate).toBe(given.certificate);
    await clock.advance(60_000);
    expect((await subject.credential(false)).certificate).toEqual(second);
  });

  it.each([
    ['a certificate without key', `status({ token: 't', clientCertificateData: first.cert })`],
    ['a key without certificate', `status({ token: 't', clientKeyData: first.key })`],
    [
      'the key of another certificate',
      `status({ clientCertificateData: first.cert, clientKeyData: second.key })`,
    ],
    ['text that is not PEM', `status({ clientCertificateData: 'eyJ.eyJ.secret', clientKeyData: 'secret' })`],
  ])('rejects %s', async (_, script) => {
    const failure: unknown = await plugin(script)
      .credential(false)
      .catch((error: unknown) => error);
    expect(String(failure)).toMatch(
      /^Error: own credential cannot be read from plugin .*(PEM|its private key)/,
    );
    expect(inspect(failure)).not.toContain('secret');
  });
});

describe('ExecPlugin runs the command', () => {
  it('as kubectl does without a terminal', async () => {
    const report = `process.stdin.on('data', () => {}).on('end', () => status({ token: JSON.stringify({
      info: JSON.parse(process.env.KUBERNETES_EXEC_INFO), plain: process.env.PLAIN, own: process.env.OVERRIDDEN,
      args: process.argv.slice(2), isTerminal: process.stdin.isTTY === true }) }))`;
    const file = join(directory, 'plugin.cjs');
    const subject = plugin(report, {
      args: [file, 'get-token', '--cluster', 'a b'],
      env: [{ name: 'OVERRIDDEN', value: 'yes' }],
      apiVersion: 'client.authentication.k8s.io/v1',
      cluster: { server: 'https://api.example' },
    });
    expect(JSON.parse((await tokenOf(subject)) ?? '')).toEqual({
      info: {
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        spec: { interactive: false, cluster: { server: 'https://api.example' } },
      },
      plain: 'yes',
      own: 'yes',
      args: ['get-token', '--cluster', 'a b'],
      isTerminal: false,
    });
  });

  it('for at most 60 s, and kills a command that hangs', async () => {
    const subject = plugin(`setInterval(() => {}, 1000)`);
    const asked = tokenOf(subject).catch((error: Error) => error.message);
    await until(() => clock.pendingTimers === 1);
    await clock.advance(60_000);
    expect(await asked).toContain('command did not end within 60000 ms');
  });

  it('once for all waiting calls, whether their credential was refused or not', async () => {
    const subject = plugin(`status({ token: 'run-' + run, expirationTimestamp: inSeconds(run * 60) })`);
    await tokenOf(subject);
    await clock.advance(60_000);
    expect(await Promise.all([tokenOf(subject), tokenOf(subject, true)])).toEqual(['run-2', 'run-2']);
    expect(runs()).toBe(2);
  });

  it('until it is closed: then kills the command and never starts it again', async () => {
    const pidFile = join(directory, 'pid');
    const subject = plugin(
      `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`,
    );
    const asked = tokenOf(subject).catch((error: Error) => error.message);
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    subject.close();
    expect(await asked).toContain('verifier was closed');
    await until(() => !isRunning(Number(readFileSync(pidFile, 'utf8'))));
    await clock.advance(5_000);
    await expect(tokenOf(subject)).rejects.toThrow('verifier was closed');
    expect(runs()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['that is missing', {}, { command: '/nonexistent/plugin' }, 'command ended with ENOENT'],
    [
      'that fails',
      { script: `console.error('no session for secret'); process.exit(3)` },
      {},
      'command ended with 3',
    ],
    [
      'that is killed',
      { script: `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)` },
      {},
      'command ended with SIGTERM',
    ],
    ['that prints no JSON', { script: `console.log('secret')` }, {}, 'expected an ExecCredential in JSON'],
    ['that has no arguments', {}, { args: null }, 'expected an ExecCredential in JSON'],
    ['that prints null', { script: `console.log('null')` }, {}, 'expected an ExecCredential with a status'],
    [
      'that prints no status',
      { script: `console.log('{"token":"secret"}')` },
      {},
      'expected an ExecCredential with a status',
    ],
    [
      'that prints no token',
      { script: `status({ token: '' })` },
      {},
      'expected a token or a client certificate',
    ],
    ['that prints a number', { script: `status({ token: 5 })` }, {}, 'expected only strings in status'],
    [
      'that prints no date',
      { script: `status({ token: 'secret', expirationTimestamp: 'soon' })` },
      {},
      'expected expirationTimestamp to be a date',
    ],
    [
      'that prints too much',
      { script: `console.log('secret'.repeat(1_000_000))` },
      {},
      'command ended with ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
    ],
  ])(
    'and reports a command %s without quoting its output',
    async (_, { script = '' }: { script?: string }, spec, reason) => {
      const failure: unknown = await plugin(script, spec)
        .credential(false)
        .catch((error: unknown) => error);
      expect(String(failure)).toContain(reason);
      expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('secret');
    },
  );

  it('without exposing its credential to inspect or JSON', async () => {
    const subject = plugin(
      `status({ token: 'secret', clientCertificateData: first.cert, clientKeyData: first.key })`,
      { env: [{ name: 'PASSWORD', value: 'secret' }] },
    );
    await subject.credential(false);
    expect(inspect(subject, { depth: 10, showHidden: true }) + JSON.stringify(subject)).not.toMatch(
      /secret|PRIVATE|PLAIN/,
    );
  });
});
