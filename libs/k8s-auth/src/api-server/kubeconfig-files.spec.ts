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
  it('skips files that are missing, and empty ones', async () => {
    write('empty', '');
    write('blank', ' \n');
    write('whole', whole);
    const { cluster: found } = await load('missing', 'empty', 'blank', 'missing/too', 'whole', 'missing');
    expect(found.server).toBe('https://first.example');
  });

  it('fails when all are missing, and names them', async () => {
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
    ['that is a word', () => write('bad', 'a-secret-token')],
    ['that is a list', () => write('bad', '[]')],
  ])('fails for a file %s, whatever the others hold', async (_, make) => {
    make();
    write('whole', whole);
    const loading = load('whole', 'bad');
    await expect(loading).rejects.toMatchObject(invalid);
    await expect(loading).rejects.toThrow(join(directory, 'bad'));
    await expect(loading).rejects.not.toThrow('a-secret-token');
  });

  it('takes the first entry of a name, and nothing of a second', async () => {
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

  it('takes the first current-context, and its parts from any file', async () => {
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

  it('takes the same file twice', async () => {
    write('whole', whole);
    expect((await load('whole', 'whole')).user.token).toBe('first');
  });

  it('cares for the current context only', async () => {
    write('whole', {
      ...whole,
      clusters: [{ name: 'broken', cluster: {} }, { name: 'none' }, {}, ...whole.clusters],
      contexts: [{ name: 'broken', context: {} }, {}, ...whole.contexts],
      users: [null, {}, { name: 'none' }, ...whole.users],
    });
    expect((await load('whole')).user.token).toBe('first');
  });

  it('finds relative files and commands beside the file that names them', async () => {
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

  it('looks a command without a path up, wherever the file is', async () => {
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
  'loadKubeconfig sees impersonation by %s',
  async (key) => {
    write('config', { ...whole, users: [user('u', { token: 't', [key]: ['root'] })] });
    expect((await load('config')).isImpersonating).toBe(true);
  },
);
