import { beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TLSSocket } from 'node:tls';
import { LocalCluster } from '../../testing/index.js';
import { CertificateAuthority } from '../../testing/local-cluster/certificates.js';
import { issueLoopback, startHttpsServer, turn, until } from '../http/https-server.fixture.js';
import { type ApiServerClient } from './api-server.client.js';
import { outcome } from './own-cluster.fixture.js';

import { ask, CredentialBench } from './own-credential.fixture.js';

const bench = new CredentialBench();

describe('a token that is not a JWT', () => {
  // An API server that accepts one static token.
  async function startServer(known: () => string) {
    const authority = await CertificateAuthority.create();
    const server = await startHttpsServer(await issueLoopback(authority), ({ headers }, response) => {
      response.writeHead(headers.authorization === `Bearer ${known()}` ? 200 : 401).end();
    });
    bench.toClose.push(() => server.close());
    return { url: server.url, caFile: bench.write('ca.crt', authority.pem), ca: authority.pem };
  }

  it.each(['kubeconfig-user-x7k2p:4tq9z', 'sha256~Zm9v-_YmFy', 'static token of 4 words', 'pa§word/=+'])(
    'is sent unchanged, from a file or a kubeconfig: %s',
    async (token) => {
      const { url, caFile, ca } = await startServer(() => token);
      const tokenFile = bench.write('token', Buffer.from(`${token}\r\n`, 'latin1'));
      await expect(ask(await bench.connect({ url, caFile, tokenFile }))).resolves.toMatchObject({
        status: 200,
      });

      const kubeconfigFile = bench.write('kubeconfig', kubeconfig({ url, ca, user: { token } }));
      const client = await bench.connect({ kubeconfigFile });
      await expect(ask(client)).resolves.toMatchObject({ status: 200 });
      await expect(client.ownClaims()).resolves.toBeUndefined();

      const withFile = bench.write('kubeconfig', kubeconfig({ url, ca, user: { tokenFile: 'token' } }));
      await expect(ask(await bench.connect({ kubeconfigFile: withFile }))).resolves.toMatchObject({
        status: 200,
      });
    },
  );

  it('is read again after a 401', async () => {
    let known = 'kubeconfig-user-x:one';
    const { url, caFile } = await startServer(() => known);
    const tokenFile = bench.write('token', known);
    const client = await bench.connect({ url, caFile, tokenFile });
    await ask(client);
    known = 'kubeconfig-user-x:two';
    bench.write('token', known);
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
  });

  it.each([
    ['two lines', 'sha256~one\nsha256~two'],
    ['a control character', 'sha256~\u0001'],
    ['bytes', Buffer.from([0, 1, 254])],
    ['a byte order mark', '\uFEFFsha256~one'],
    ['UTF-16', Buffer.from('sha256~one', 'utf16le')],
    ['nothing', ' \n'],
  ])('is rejected if the file contains %s, and no log line or error quotes it', async (_, content) => {
    const { url, caFile } = await startServer(() => '');
    const tokenFile = bench.write('token', content);
    const failure = await outcome(ask(await bench.connect({ url, caFile, tokenFile })));
    expect(failure).toMatchObject({ code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' });
    const said = JSON.stringify(bench.log.events) + String((failure as Error).cause);
    expect(said).toContain(`token file ${tokenFile}`);
    expect(said).not.toMatch(/sha256/);
  });
});

describe('a plugin that returns a client certificate', () => {
  let cluster: LocalCluster;

  beforeEach(async () => {
    cluster = await LocalCluster.start({ clock: bench.clock, signingAlgorithm: 'ES256' });
    bench.toClose.push(() => cluster.close());
  });

  /** A plugin that prints the content of the file `given`, and counts its runs. */
  async function connectByPlugin(
    { url, ca } = cluster as { url: string; ca: string },
  ): Promise<ApiServerClient> {
    const plugin = bench.write(
      'plugin.cjs',
      `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(join(bench.directory, 'runs'))}, '.');
       console.log(fs.readFileSync(${JSON.stringify(join(bench.directory, 'given'))}, 'utf8'));`,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [plugin] };
    const user = { exec: { ...exec, interactiveMode: 'IfAvailable' } };
    return bench.connect({
      kubeconfigFile: bench.write('kubeconfig', kubeconfig({ url, ca, user })),
    });
  }

  const give = (status: object) => bench.write('given', JSON.stringify({ kind: 'ExecCredential', status }));
  const runs = () => readFileSync(join(bench.directory, 'runs'), 'utf8').length;
  const askers = () => cluster.requests.list().map(({ user }) => user);

  /** A new client certificate of the administrator, issued by a CA of the cluster. */
  async function adminCertificate() {
    const text = readFileSync(await cluster.writeKubeconfig(), 'utf8');
    const { users } = JSON.parse(text) as { users: { user: Record<string, string> }[] };
    const decoded = (name: string) => Buffer.from(users[0]?.user[name] ?? '', 'base64').toString();
    return {
      clientCertificateData: decoded('client-certificate-data'),
      clientKeyData: decoded('client-key-data'),
    };
  }

  it('authenticates requests with the certificate, over one connection', async () => {
    give(await adminCertificate());
    const client = await connectByPlugin();
    for (let n = 0; n < 3; n++) {
      await expect(ask(client)).resolves.toMatchObject({ status: 200 });
      await turn();
    }
    expect(askers()).toEqual(Array(3).fill('kubernetes-admin'));
    expect(cluster.requests.connections).toBe(1);
    expect(runs()).toBe(1);
    await expect(client.ownClaims()).resolves.toBeUndefined();
  });

  it('is run again when the certificate has expired, and new connections use the new certificate', async () => {
    const expirationTimestamp = new Date(bench.clock.wallMs() + 60_000).toISOString();
    give({ ...(await adminCertificate()), expirationTimestamp });
    const client = await connectByPlugin();
    await ask(client);
    give(await adminCertificate());
    await bench.clock.advance(59_999);
    await ask(client);
    await turn();
    expect([runs(), cluster.requests.connections]).toEqual([1, 1]);
    await bench.clock.advance(1);
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
    expect([runs(), cluster.requests.connections]).toEqual([2, 2]);
  });

  it('is run again when the certificate was refused', async () => {
    const stranger = await CertificateAuthority.create();
    const { cert, key } = await stranger.issue({ subject: 'CN=somebody', usage: 'client' });
    give({ clientCertificateData: cert, clientKeyData: key });
    const client = await connectByPlugin();
    cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status: 401 }, times: 2 });
    await expect(ask(client)).rejects.toThrow('API server refuses our own credential (401)');
    await bench.clock.advance(5_000);
    give(await adminCertificate());
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
    expect(askers().at(-1)).toBe('kubernetes-admin');
  });

  it('is run once for many calls that were refused with the previous certificate', async () => {
    const authority = await CertificateAuthority.create();
    let accepted = 'first';
    const server = await startHttpsServer(await issueLoopback(authority), ({ socket }, response) => {
      const { subject } = (socket as TLSSocket).getPeerCertificate();
      response.writeHead(subject?.CN === accepted ? 200 : 401).end();
    });
    bench.toClose.push(() => server.close());
    const giveAs = async (name: string) => {
      const { cert, key } = await authority.issue({ subject: `CN=${name}`, usage: 'client' });
      give({ clientCertificateData: cert, clientKeyData: key });
    };
    await giveAs('first');
    const client = await connectByPlugin({ url: server.url, ca: authority.pem });
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
    accepted = 'second';
    await giveAs('second');
    const burst = () =>
      Promise.all(
        Array.from({ length: 20 }, () => expect(ask(client)).resolves.toMatchObject({ status: 200 })),
      );
    await Promise.all([burst(), turn().then(burst)]);
    expect(runs()).toBe(2);
  });

  it('is killed when the client closes, even while it hangs', async () => {
    const script = `require('node:fs').writeFileSync(${JSON.stringify(join(bench.directory, 'pid'))}, String(process.pid));
      setInterval(() => {}, 1000)`;
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', script],
    };
    const { url, ca } = cluster;
    const client = await bench.connect({
      kubeconfigFile: bench.write('kubeconfig', kubeconfig({ url, ca, user: { exec } })),
    });
    const asked = outcome(ask(client));
    const pid = () =>
      existsSync(join(bench.directory, 'pid')) ? readFileSync(join(bench.directory, 'pid'), 'utf8') : '';
    await until(() => pid() !== '');
    await client.close();
    expect(await asked).toMatchObject({ message: 'own credential cannot be read' });
    await until(() => !isRunning(Number(pid())));
  });

  it('may return a token later', async () => {
    await cluster.createServiceAccount('shop', 'orders');
    const expirationTimestamp = new Date(bench.clock.wallMs() + 60_000).toISOString();
    give({ ...(await adminCertificate()), expirationTimestamp });
    const client = await connectByPlugin();
    await ask(client);
    give({ token: await cluster.createToken({ namespace: 'shop', serviceAccount: 'orders' }) });
    await bench.clock.advance(60_000);
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
    expect(askers()).toEqual(['kubernetes-admin', 'system:serviceaccount:shop:orders']);
    await expect(client.ownClaims()).resolves.toMatchObject({ sub: 'system:serviceaccount:shop:orders' });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function kubeconfig({ url, ca, user }: { url: string; ca: string; user: object }): string {
  const data = Buffer.from(ca).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': data } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}
