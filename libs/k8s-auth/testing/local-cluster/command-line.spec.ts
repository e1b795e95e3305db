import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalCluster } from './local-cluster.js';

const run = promisify(execFile);

/** If the program is not installed, the tests are skipped, and their name says so. */
function describeWith(program: string, version: readonly string[]): typeof describe | typeof describe.skip {
  const isInstalled = spawnSync(program, version, { stdio: 'ignore' }).status === 0;
  return isInstalled ? describe : describe.skip;
}

let cluster: LocalCluster;
let kubeconfig: string;

beforeAll(async () => {
  cluster = await LocalCluster.start();
  await cluster.createServiceAccount('mytest', 'default');
  kubeconfig = await cluster.writeKubeconfig();
});

afterAll(() => cluster.close());

describeWith('kubectl', ['version', '--client'])('kubectl (skipped where it is not installed)', () => {
  const kubectl = async (...words: string[]) =>
    (await run('kubectl', ['--kubeconfig', kubeconfig, ...words])).stdout.trim();

  it('creates a token for an audience', async () => {
    const token = await kubectl('create', 'token', 'default', '--audience', 'x', '--namespace', 'mytest');
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ aud: ['x'], sub: 'system:serviceaccount:mytest:default' });
  });

  it('cannot create a token that lives ten seconds', async () => {
    const words = ['create', 'token', 'default', '--duration', '10s', '--namespace', 'mytest'];
    await expect(kubectl(...words)).rejects.toThrow(/may not specify a duration less than 10 minutes/);
  });

  it('creates, shows and deletes a namespace and a ServiceAccount', async () => {
    expect(await kubectl('create', 'namespace', 'shop')).toBe('namespace/shop created');
    await kubectl('create', 'serviceaccount', 'checkout', '--namespace', 'shop');
    const names = ['get', 'serviceaccounts', '--namespace', 'shop', '--output', 'name'];
    expect(await kubectl(...names)).toBe('serviceaccount/default\nserviceaccount/checkout');
    expect(await kubectl('delete', 'namespace', 'shop')).toMatch(/"shop" deleted/);
  }, 30_000);

  it('checks its own rights', async () => {
    expect(await kubectl('auth', 'can-i', 'create', 'tokenreviews.authentication.k8s.io')).toMatch(/yes$/);
  });
});

describeWith('curl', ['--version'])('curl (skipped where it is not installed)', () => {
  it('sends a TokenReview with a client certificate, as tutorials do', async () => {
    const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
      users: [{ user: Record<string, string> }];
    };
    const write = (name: string, member: string) => {
      const path = join(dirname(cluster.caFile), name);
      writeFileSync(path, Buffer.from(users[0].user[member] ?? '', 'base64'), { mode: 0o600 });
      return path;
    };
    const token = await cluster.createToken({ namespace: 'mytest', serviceAccount: 'default' });
    const review = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token } };
    const { stdout } = await run('curl', [
      '--silent',
      ...['--cacert', cluster.caFile],
      ...['--cert', write('client.crt', 'client-certificate-data')],
      ...['--key', write('client.key', 'client-key-data')],
      ...['--request', 'POST'],
      ...['--header', 'Content-Type: application/json'],
      ...['--data', JSON.stringify(review)],
      `${cluster.url}/apis/authentication.k8s.io/v1/tokenreviews`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      ...review,
      status: {
        authenticated: true,
        user: {
          username: 'system:serviceaccount:mytest:default',
          groups: ['system:serviceaccounts', 'system:serviceaccounts:mytest', 'system:authenticated'],
        },
      },
    });
  });
});
