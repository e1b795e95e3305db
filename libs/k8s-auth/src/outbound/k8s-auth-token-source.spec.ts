import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';
import { inspect } from 'node:util';
import { FakeClock } from '../../testing/fake-clock.js';
import { ConfigurationError, TokenSourceError } from '../errors.js';
import { until } from '../../test-support/until.js';
import { readTokenFile } from '../token-file/token-file.js';
import { CapturedLog } from '../../test-support/captured-log.js';
import { TokenMint, TokenVolume } from '../token-file/token-volume.fixture.js';
import { pathsTo } from './axios/secrecy.fixture.js';
import { type DestinationOptions } from './destinations.options.js';
import { K8sAuthTokenSource } from './k8s-auth-token-source.js';

let clock: FakeClock;
let log: CapturedLog;
let mint: TokenMint;
let volume: TokenVolume;
let token: string;
let reads: string[];

beforeEach(async () => {
  clock = new FakeClock();
  log = new CapturedLog();
  mint = new TokenMint(clock);
  token = await mint.mint();
  volume = new TokenVolume(token);
  reads = [];
});

afterEach(() => volume.remove());

function sourceOf(...destinations: DestinationOptions[]): K8sAuthTokenSource {
  return new K8sAuthTokenSource(destinations, {
    clock,
    log,
    read: (file) => {
      reads.push(file);
      return readTokenFile(file);
    },
  });
}

describe('K8sAuthTokenSource', () => {
  it.each([
    'http://service2.mytest.svc',
    'http://service2.mytest.svc:80',
    'http://SERVICE2.mytest.svc/',
    'http://service2.mytest.svc/orders?x=1#y',
  ])('returns the token for %s', async (url) => {
    const source = sourceOf({ origin: 'http://service2.mytest.svc', tokenFile: volume.file });
    await expect(source.getToken(url)).resolves.toBe(token);
    expect(source.peekToken(url)).toBe(token);
  });

  it.each([
    'https://service2.mytest.svc',
    'http://service2.mytest.svc:8080',
    'http://a.service2.mytest.svc',
    'http://mytest.svc',
    'ws://service2.mytest.svc',
    'blob:http://service2.mytest.svc/x',
    '//service2.mytest.svc',
    'service2.mytest.svc',
    'null',
    '',
  ])('returns undefined for %j, and reads no file', async (url) => {
    const source = sourceOf({ origin: 'http://service2.mytest.svc', tokenFile: volume.file });
    await expect(source.getToken(url)).resolves.toBeUndefined();
    await expect(source.renewToken(url, token)).resolves.toBeUndefined();
    expect(source.peekToken(url)).toBeUndefined();
    expect(reads).toEqual([]);
  });

  it('recognizes an international host name in repeated calls', async () => {
    const source = sourceOf({ origin: 'http://bücher.test', tokenFile: volume.file });
    await source.getToken('http://bücher.test/');
    // Enough for V8 to optimize what parses the URL.
    for (let call = 0; call < 20_000; call++) {
      if (source.peekToken('http://bücher.test/x') === undefined) throw new Error(`unknown at call ${call}`);
    }
    expect(source.peekToken('http://xn--bcher-kva.test')).toBe(token);
  });

  it('returns undefined for every origin without destinations', async () => {
    await expect(sourceOf().getToken('http://service2.mytest.svc')).resolves.toBeUndefined();
  });

  it('throws a typed error when the file of a listed origin contains no token', async () => {
    volume.write('');
    const failed = sourceOf({ origin: 'http://service2', tokenFile: volume.file }).getToken(
      'http://service2',
    );
    await expect(failed).rejects.toBeInstanceOf(TokenSourceError);
    await expect(failed).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_EMPTY' });
  });

  it('returns another token in place of a rejected token', async () => {
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    await source.getToken('http://service2');
    const next = await mint.mint();
    volume.write(next);
    await expect(source.renewToken('http://service2/x', token)).resolves.toBe(next);
    expect(source.peekToken('http://service2')).toBe(next);
  });

  it('shares the reads of destinations with the same file and audience', async () => {
    const source = sourceOf(
      { origin: 'http://a', tokenFile: volume.file, audience: 'service2' },
      { origin: 'http://b', tokenFile: volume.file, audience: 'service2' },
      { origin: 'http://c', tokenFile: volume.file },
    );
    await Promise.all(['http://a', 'http://b', 'http://c'].map((origin) => source.getToken(origin)));
    expect(reads).toHaveLength(2);
  });

  it('checks the audience of each destination', async () => {
    const source = sourceOf(
      { origin: 'http://a', tokenFile: volume.file, audience: 'service2' },
      { origin: 'http://b', tokenFile: volume.file, audience: 'other' },
    );
    await expect(source.getToken('http://a')).resolves.toBe(token);
    await expect(source.getToken('http://b')).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_TOKEN_FILE_AUDIENCE',
    });
  });

  it('rejects a destination with an invalid origin', () => {
    const make = () => sourceOf({ origin: 'service2', tokenFile: volume.file });
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow("option 'destinations[0].origin'");
  });
});

describe('K8sAuthTokenSource: what a log of it shows', () => {
  it.each([
    ['ConsoleLogger', (value: unknown) => logOf(value)],
    ['inspect', (value: unknown) => inspect(value, { depth: Infinity, showHidden: true })],
    ['JSON', (value: unknown) => JSON.stringify({ value })],
  ])('shows no part of a token: %s', async (_name, show) => {
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    await source.getToken('http://service2');
    const shown = show({ source, again: [source] });
    for (const part of token.split('.')) expect(shown).not.toContain(part);
    expect(pathsTo(token, source)).toEqual([]);
  });

  function logOf(value: unknown): string {
    const written: string[] = [];
    const logger = new (class extends ConsoleLogger {
      protected override printMessages(messages: unknown[]): void {
        written.push(...messages.map((message) => this.stringifyMessage(message, 'log')));
      }
    })();
    logger.log(value);
    return written.join('\n');
  }
});

describe('K8sAuthTokenSource: log lines', () => {
  const opensTheApi = expect.stringContaining("is the pod's token for the Kubernetes API") as unknown;

  it.each([
    ['the usual audience', { aud: ['https://kubernetes.default.svc.cluster.local', 'k3s'] }],
    ['its issuer as audience', { aud: 'https://issuer.test' }],
    ['no audience, as tokens of Secrets', { iss: 'kubernetes/serviceaccount', aud: undefined }],
  ])('warns once about a token issued for the Kubernetes API: %s', async (_name, claims) => {
    volume.write(await mint.mint(claims));
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    source.readDueFiles();
    await until(() => log.warnings.length > 0);
    await clock.advance(60_000);
    source.readDueFiles();
    await until(() => reads.length === 2);
    expect(log.warnings).toEqual([{ message: opensTheApi, origin: 'http://service2', file: volume.file }]);
  });

  it("warns about the file of the pod's API token even if it cannot be read, and names each destination", () => {
    const tokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';
    const origins = ['http://service2', 'http://service3', 'https://kubernetes.default.svc'];
    sourceOf(...origins.map((origin) => ({ origin, tokenFile }))).readDueFiles();
    expect(log.warnings).toEqual([
      { message: opensTheApi, origin: 'http://service2', file: tokenFile },
      { message: opensTheApi, origin: 'http://service3', file: tokenFile },
    ]);
  });

  it('does not warn of a token issued for its destination', async () => {
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    source.readDueFiles();
    await until(() => source.peekToken('http://service2') !== undefined);
    expect(log.warnings).toEqual([]);
  });

  it('logs an origin that is not a destination once, without path and user name, and at most 100 origins', async () => {
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    for (const url of ['http://me:secret@other/x?y', 'http://other/z', 'http://service2/', 'no URL'])
      await source.getToken(url);
    expect(log.infos).toEqual([
      { message: expect.stringContaining('no token is attached') as unknown, origin: 'http://other' },
    ]);
    for (let index = 0; index < 200; index++) await source.getToken(`http://other-${index}`);
    expect(log.infos).toHaveLength(100);
  });
});

describe('K8sAuthTokenSource: states', () => {
  it('reads the files before the first request', async () => {
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    source.readDueFiles();
    await until(() => source.peekToken('http://service2') !== undefined);
    expect(reads).toHaveLength(1);
  });

  it('logs a failure of the first read and does not end the process', async () => {
    volume.empty();
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    source.readDueFiles();
    await until(() => log.warnings.length > 0);
    expect(log.warnings).toMatchObject([{ code: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE', file: volume.file }]);
  });

  it('returns each destination with its state, and no token text', async () => {
    const source = sourceOf(
      { origin: 'HTTP://service2:80/', tokenFile: volume.file },
      { origin: 'http://service3', tokenFile: `${volume.file}-missing` },
    );
    source.readDueFiles();
    await until(() => source.peekToken('http://service2') !== undefined && log.warnings.length > 0);
    expect(source.states()).toEqual([
      {
        origin: 'http://service2',
        tokenFile: volume.file,
        hasToken: true,
        expiresAtMs: clock.wallMs() + 3_600_000,
        lastReadAgeMs: 0,
        fileAgeMs: expect.any(Number),
      },
      {
        origin: 'http://service3',
        tokenFile: `${volume.file}-missing`,
        hasToken: false,
        code: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE',
        trouble: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE',
        lastReadAgeMs: 0,
      },
    ]);
    expect(JSON.stringify(source.states()) + log.text()).not.toContain(token);
  });

  it('keeps a service ready that sends no requests, because reading the states reads the files that are due', async () => {
    const source = sourceOf({ origin: 'http://service2', tokenFile: volume.file });
    await source.getToken('http://service2');
    await clock.advance(3_600_000);
    volume.write(await mint.mint());
    expect(source.states()).toMatchObject([{ hasToken: false }]);
    await until(() => source.peekToken('http://service2') !== undefined);
    expect(source.states()).toMatchObject([{ hasToken: true }]);
  });
});
