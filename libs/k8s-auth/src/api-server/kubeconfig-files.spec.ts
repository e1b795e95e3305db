import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadKubeconfig } from './kubeconfig-files.js';

const NAME = 'variable KUBECONFIG';
const invalid = { code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID' };

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubeconfig-files-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const load = (...names: string[]) =>
  loadKubeconfig(
    names.map((name) => join(directory, name)),
    NAME,
  );

function write(name: string, content: string | object): void {
  const file = join(directory, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

const cluster = (name: string, server: string) => ({ name, cluster: { server } });
const user = (name: string, members: object) => ({ name, user: members });
const context = (name: string, of = { cluster: 'c', user: 'u' }) => ({ name, context: of });

const whole = {
  clusters: [cluster('c', 'https://first.example')],
  users: [user('u', { token: 'first' })],
  contexts: [context('x')],
  'current-context': 'x',
};

describe('loadKubeconfig merges files as kubectl does', () => {
  it('skips missing files and empty files', async () => {
    write('empty', '');
    write('blank', ' \n');
    write('whole', whole);
    const { cluster: found } = await load('missing', 'empty', 'blank', 'missing/too', 'whole', 'missing');
    expect(found.server).toBe('https://first.example');
  });

  it('fails if all files are missing, and names them', async () => {
    await expect(load('a', 'b')).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining(
        `${NAME}: expected a kubeconfig in ${join(directory, 'a')} or ${join(directory, 'b')}, which cannot be read`,
      ),
    });
  });

  it.each([
    ['that is a directory', () => mkdirSync(join(directory, 'bad'))],
    ['that is broken', () => write('bad', 'users: [{name: u, user: {token: a-secret-token}}, }')],
    ['that contains only a word', () => write('bad', 'a-secret-token')],
    ['that contains a list', () => write('bad', '[]')],
  ])('fails for a file %s, even if another file is valid', async (_, make) => {
    make();
    write('whole', whole);
    const loading = load('whole', 'bad');
    await expect(loading).rejects.toMatchObject(invalid);
    await expect(loading).rejects.toThrow(join(directory, 'bad'));
    await expect(loading).rejects.not.toThrow('a-secret-token');
  });

  it('uses the first entry of a name, and ignores a second entry completely', async () => {
    write('first', { ...whole, users: [user('u', {})] });
    write('second', {
      clusters: [cluster('c', 'https://second.example')],
      users: [user('u', { token: 'second', tokenFile: 'second', as: 'root', exec: { command: 'second' } })],
      contexts: [context('x', { cluster: 'c2', user: 'u2' })],
      'current-context': 'y',
    });
    const loaded = await load('first', 'second');
    expect(loaded.cluster.server).toBe('https://first.example');
    expect(loaded.user.token).toBeUndefined();
    expect(loaded).toMatchObject({ tokenFile: undefined, exec: undefined, isImpersonating: false });
  });

  it('uses the first current-context, and finds its cluster and user in any file', async () => {
    write('users', {
      users: [user('u', { token: 't' }), user('u2', { token: 't2' })],
      'current-context': '',
    });
    write('contexts', { contexts: [context('x'), context('y', { cluster: 'c2', user: 'u2' })] });
    write('clusters', { clusters: [cluster('c2', 'https://second.example')], 'current-context': 'y' });
    write('other', whole);
    const loaded = await load('users', 'contexts', 'clusters', 'other');
    expect(loaded).toMatchObject({ cluster: { server: 'https://second.example' }, user: { token: 't2' } });
  });

  it('accepts the same file twice', async () => {
    write('whole', whole);
    expect((await load('whole', 'whole')).user.token).toBe('first');
  });

  it('ignores invalid entries of other contexts', async () => {
    write('whole', {
      ...whole,
      clusters: [{ name: 'broken', cluster: {} }, { name: 'none' }, {}, ...whole.clusters],
      contexts: [{ name: 'broken', context: {} }, {}, ...whole.contexts],
      users: [null, {}, { name: 'none' }, ...whole.users],
    });
    expect((await load('whole')).user.token).toBe('first');
  });

  it('resolves relative files and commands against the directory of the kubeconfig', async () => {
    write('first/config', {
      users: [
        user('u', {
          tokenFile: 'token',
          exec: { command: './bin/plugin' },
          'client-certificate': 'client.crt',
          'client-key': '/abs/client.key',
        }),
      ],
    });
    write('second/config', {
      clusters: [
        { name: 'c', cluster: { server: 'https://api.example', 'certificate-authority': '../ca.crt' } },
      ],
      contexts: [context('x')],
      'current-context': 'x',
    });
    const { cluster: found, user: own, ...loaded } = await load('first/config', 'second/config');
    expect(found.caFile).toBe(join(directory, 'ca.crt'));
    expect(own).toMatchObject({ certFile: join(directory, 'first/client.crt'), keyFile: '/abs/client.key' });
    expect(loaded).toMatchObject({
      tokenFile: join(directory, 'first/token'),
      exec: { command: join(directory, 'first/bin/plugin') },
    });
  });

  it('keeps a command without a path, to find it in PATH', async () => {
    write('whole', { ...whole, users: [user('u', { exec: { command: 'aws' } })] });
    expect((await load('whole')).exec?.command).toBe('aws');
  });
});

describe('loadKubeconfig reads', () => {
  const yaml = `apiVersion: v1
kind: Config
clusters:
- name: c
  cluster:
    server: https://api.example:6443
    tls-server-name: kubernetes
    certificate-authority-data: |
      QUJD
      REVG
users:
- name: other
- name: u
  user: { token: "sha256~abc" }
contexts:
- { name: x, context: { cluster: c, user: u } }
current-context: x
`;

  it.each([
    ['YAML', yaml],
    ['YAML with Windows line ends', yaml.replace(/\n/g, '\r\n')],
    ['YAML behind a byte order mark', `\uFEFF${yaml}`],
    ['JSON', JSON.stringify({ ...whole, users: [user('u', { token: 'sha256~abc' })] })],
    ['JSON with tabs', JSON.stringify({ ...whole, users: [user('u', { token: 'sha256~abc' })] }, null, '\t')],
  ])('%s', async (_, text) => {
    write('config', text);
    expect((await load('config')).user).toMatchObject({ name: 'u', token: 'sha256~abc' });
  });
});

it.each(['as', 'as-uid', 'as-groups', 'as-user-extra'])(
  'loadKubeconfig does not treat an empty %s as impersonation',
  async (key) => {
    for (const empty of ['', null, [], {}]) {
      write('config', { ...whole, users: [user('u', { token: 't', [key]: empty })] });
      expect((await load('config')).isImpersonating).toBe(false);
    }
  },
);

describe('the cluster info that loadKubeconfig makes for a plugin', () => {
  const clusterInfo = async (members: object, provideClusterInfo = true) => {
    write('config', {
      ...whole,
      clusters: [{ name: 'c', cluster: { server: 'https://api.example', ...members } }],
      users: [user('u', { exec: { command: 'aws', provideClusterInfo } })],
    });
    return (await load('config')).exec?.cluster;
  };
  const server = 'https://api.example';

  it('is undefined without provideClusterInfo', async () => {
    expect(await clusterInfo({}, false)).toBeUndefined();
  });

  it('contains the text of the CA, from a file or from data', async () => {
    write('ca.crt', 'a CA');
    const expected = { server, 'certificate-authority-data': Buffer.from('a CA').toString('base64') };
    expect(await clusterInfo({ 'certificate-authority': 'ca.crt' })).toEqual(expected);
    expect(await clusterInfo({ 'certificate-authority-data': 'YSBD\nQQ==\n' })).toEqual(expected);
    const both = { 'certificate-authority': '/missing', 'certificate-authority-data': 'YSBDQQ==' };
    expect(await clusterInfo(both)).toEqual(expected);
    expect(await clusterInfo({ 'certificate-authority': '/missing' })).toEqual({ server });
  });

  it('contains only the members of the API type', async () => {
    const config = { audience: 'a' };
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: config }];
    const members = {
      'tls-server-name': 'kubernetes',
      'insecure-skip-tls-verify': true,
      'proxy-url': 'http://proxy.example',
      'disable-compression': true,
    };
    expect(await clusterInfo({ ...members, extensions, other: 1 })).toEqual({ server, ...members, config });
    const empty = { 'tls-server-name': '', 'insecure-skip-tls-verify': false, 'proxy-url': null };
    expect(await clusterInfo({ ...empty, extensions: null })).toEqual({ server });
  });
});

it.each(['as', 'as-uid', 'as-groups', 'as-user-extra'])(
  'loadKubeconfig detects impersonation by %s',
  async (key) => {
    write('config', { ...whole, users: [user('u', { token: 't', [key]: ['root'] })] });
    expect((await load('config')).isImpersonating).toBe(true);
  },
);
