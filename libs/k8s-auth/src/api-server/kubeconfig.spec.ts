import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority, type KeyAndCertificate } from '../../testing/local-cluster/certificates.js';
import { loadKubeconfig } from './kubeconfig-files.js';
import { readKubeconfig } from './kubeconfig.js';
import { KubeconfigCredential, type OwnCredential } from './own-credential.js';
import { readTls } from '../http/tls-source.js';

const NAME = "option 'apiServer.kubeconfigFile'";
const invalid = { code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID' };

let directory: string;
let authority: CertificateAuthority;
let client: KeyAndCertificate;

beforeAll(async () => {
  authority = await CertificateAuthority.create();
  client = await authority.issue({ subject: 'CN=somebody', usage: 'client' });
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

function kubeconfig(user: object | undefined, cluster: object = {}): string {
  return write(
    'kubeconfig',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443', ...cluster } }],
      users: [{ name: 'u', ...(user && { user }) }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const context = { clock: new FakeClock(), environment: {} };
const read = (...files: string[]) => readKubeconfig(files, NAME, context);
const ofFile = (file: string): OwnCredential =>
  new KubeconfigCredential(() => Promise.resolve({ token: `read-from${file}` }));
const credential = async (user: object) => (await read(kubeconfig(user))).credential(ofFile);
const token = async (user: object) => (await credential(user))?.token();

/** An exec plugin that runs the script `print`. In the script, `runs` is the number of the run. */
function plugin(print: string): object {
  const script = write(
    'plugin.cjs',
    `const fs = require('node:fs'); const file = ${JSON.stringify(join(directory, 'runs'))};
     const runs = (fs.existsSync(file) ? Number(fs.readFileSync(file)) : 0) + 1; fs.writeFileSync(file, String(runs));
     ${print}`,
  );
  const apiVersion = 'client.authentication.k8s.io/v1';
  return { exec: { apiVersion, command: process.execPath, args: [script] } };
}

const PRINT_TOKEN = `console.log(JSON.stringify({ status: { token: 'run-' + runs, expirationTimestamp: '2999-01-01T00:00:00Z' } }))`;

describe('the credential of a kubeconfig', () => {
  it('is its token', async () => {
    await expect(token({ token: 'static-token\n' })).resolves.toBe('static-token');
  });

  it('is its token file, relative to the directory of the kubeconfig', async () => {
    await expect(token({ tokenFile: '/abs/token' })).resolves.toBe('read-from/abs/token');
    await expect(token({ tokenFile: 'token', token: 'older' })).resolves.toBe(
      `read-from${join(directory, 'token')}`,
    );
    const authProvider = { name: 'tokenFile', config: { tokenFile: '/abs/other' } };
    await expect(token({ 'auth-provider': authProvider })).resolves.toBe('read-from/abs/other');
  });

  it('is that of its plugin, kept until it expires, and read again after a 401', async () => {
    const asked = await credential(plugin(PRINT_TOKEN));
    await expect(asked?.token()).resolves.toBe('run-1');
    await expect(asked?.token()).resolves.toBe('run-1');
    await expect(asked?.renew({ token: 'run-1' })).resolves.toBe(true);
    await expect(asked?.token()).resolves.toBe('run-2');
  });

  it('is read from the file again after a 401', async () => {
    const asked = await credential({ token: 'old' });
    await expect(asked?.renew({ token: 'old' })).resolves.toBe(false);
    kubeconfig({ token: 'new' });
    await expect(asked?.renew({ token: 'old' })).resolves.toBe(true);
    await expect(asked?.token()).resolves.toBe('new');
  });

  it('is read once for many 401s, and at most every 500 ms if the file does not change', async () => {
    const asked = await credential({ token: 'old' });
    kubeconfig({ token: 'new' });
    expect(await asked?.renew({ token: 'old' })).toBe(true);
    const reads = jest.spyOn(KubeConfig.prototype, 'loadFromString');
    try {
      for (let n = 0; n < 5; n++) expect(await asked?.renew({ token: 'new' })).toBe(false);
      expect(reads).toHaveBeenCalledTimes(0);
      await context.clock.advance(500);
      for (let n = 0; n < 5; n++) expect(await asked?.renew({ token: 'new' })).toBe(false);
      expect(reads).toHaveBeenCalledTimes(1);
      kubeconfig({ token: 'newest' });
      expect(await asked?.renew({ token: 'new' })).toBe(true);
      expect(reads).toHaveBeenCalledTimes(2);
    } finally {
      reads.mockRestore();
    }
  });

  it.each([
    ['another kind of credential', { tokenFile: 'other' }],
    ['an empty token', { token: '' }],
    ['a number', { token: 5 }],
  ])('does not change if the file contains %s after a 401', async (_what, user) => {
    const asked = await credential({ token: 'old' });
    kubeconfig(user);
    expect(await asked?.renew({ token: 'old' })).toBe(false);
    expect(await asked?.token()).toBe('old');
  });

  it('does not change if the file cannot be read after a 401', async () => {
    const asked = await credential({ token: 'old' });
    write('kubeconfig', '{');
    await expect(asked?.renew({ token: 'old' })).rejects.toMatchObject(invalid);
    await expect(asked?.token()).resolves.toBe('old');
  });

  it('is undefined if the kubeconfig has a client certificate', async () => {
    const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
    await expect(credential(user)).resolves.toBeUndefined();
  });

  it('is the static token or certificate, not that of a plugin, as with kubectl', async () => {
    const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
    await expect(credential({ ...user, ...plugin(PRINT_TOKEN) })).resolves.toBeUndefined();
    await expect(token({ token: 'static', ...plugin(PRINT_TOKEN) })).resolves.toBe('static');
  });

  it.each([
    ['a plugin that needs a terminal', { exec: { command: 'login', interactiveMode: 'Always' } }],
    ['a plugin without a command', { exec: { apiVersion: 'client.authentication.k8s.io/v1' } }],
    ['a number', { token: 12345 }],
    ['impersonation of groups', { token: 't', 'as-groups': ['system:masters'] }],
    ['nothing', {}],
    ['a password', { username: 'admin', password: 'secret' }],
    ['impersonation', { token: 't', as: 'somebody' }],
    ['no user at all', undefined],
  ])('is rejected if it is %s', async (_what, user) => {
    const found = await read(kubeconfig(user));
    expect(() => found.credential(ofFile)).toThrow(expect.objectContaining(invalid));
  });

  it.each([
    ['fails', `console.error('no session for eyJhbGciOiJub25lIn0.e30.'); process.exit(1)`],
    ['prints text that is not JSON', `console.log('eyJhbGciOiJub25lIn0.e30.')`],
    ['gives no token', `console.log(JSON.stringify({ status: {} }))`],
  ])('is never omitted when its plugin %s: reading it fails', async (_what, print) => {
    const error: unknown = await token(plugin(print)).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^own credential/);
    expect(inspect(error)).not.toMatch(/eyJ/);
  });
});

describe('the TLS settings of a kubeconfig', () => {
  it('come from data or from files, and contain the server name to verify', async () => {
    const ofData = await read(
      kubeconfig(
        { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) },
        { 'certificate-authority-data': base64(authority.pem), 'tls-server-name': 'kubernetes' },
      ),
    );
    const expected = { ca: authority.pem, ...client, servername: 'kubernetes' };
    expect(await readTls(ofData.tls)).toStrictEqual(expected);
    for (const [name, text] of Object.entries({ ca: authority.pem, ...client })) write(`${name}.pem`, text);
    const ofFiles = await read(
      kubeconfig(
        { 'client-certificate': 'cert.pem', 'client-key': join(directory, 'key.pem') },
        { 'certificate-authority': 'ca.pem', 'tls-server-name': 'kubernetes' },
      ),
    );
    expect(await readTls(ofFiles.tls)).toStrictEqual(expected);
  });

  it('come from data if there is also a file', async () => {
    const data = { 'certificate-authority-data': base64(authority.pem) };
    const { tls } = await read(
      kubeconfig({ token: 't' }, { ...data, 'certificate-authority': '/nonexistent/ca.crt' }),
    );
    expect(await readTls(tls)).toStrictEqual({ ca: authority.pem });
  });

  it('are rejected for a certificate with a missing or wrong key', async () => {
    const other = await authority.issue({ subject: 'CN=other', usage: 'client' });
    const cert = base64(client.cert);
    for (const key of [undefined, base64(other.key), base64('no key')]) {
      const { tls } = await read(kubeconfig({ 'client-certificate-data': cert, 'client-key-data': key }));
      await expect(readTls(tls)).rejects.toMatchObject(invalid);
    }
  });

  it.each([
    ['skips verification', { 'insecure-skip-tls-verify': true }],
    ['is not https', { server: 'http://api.example:8080' }],
    ['is not a URL', { server: 'api.example' }],
    ['is behind a proxy', { 'proxy-url': 'http://proxy.example' }],
  ])('are rejected if the server %s', async (_what, cluster) => {
    const { checkServer } = await read(kubeconfig({ token: 't' }, cluster));
    expect(checkServer).toThrow(
      expect.objectContaining({ ...invalid, message: expect.stringContaining(NAME) }),
    );
  });
});

describe('a file that is not a kubeconfig', () => {
  it.each([
    ['YAML that is broken', 'users: [{name: u, user: {token: a-secret-token}}, }'],
    ['empty', ''],
    ['a list', '[]'],
    [
      'without a context',
      JSON.stringify({ apiVersion: 'v1', kind: 'Config', users: [], clusters: [], contexts: [] }),
    ],
  ])('is rejected without quoting its text: %s', async (_what, text) => {
    const error: unknown = await read(write('broken', text)).catch((cause: unknown) => cause);
    expect(error).toMatchObject(invalid);
    expect(inspect(error, { depth: 10 })).not.toContain('a-secret-token');
  });

  it('is rejected if it does not exist', async () => {
    const file = join(directory, 'missing');
    await expect(read(file)).rejects.toThrow(
      `${NAME}: expected a kubeconfig in ${file}, which cannot be read`,
    );
  });
});

it('loadKubeconfig names the missing package that it needs', async () => {
  const missing = () => Promise.reject(new Error("Cannot find package '@kubernetes/client-node'"));
  await expect(loadKubeconfig([kubeconfig({ token: 't' })], NAME, missing)).rejects.toMatchObject({
    ...invalid,
    message: expect.stringContaining('@kubernetes/client-node'),
  });
});
