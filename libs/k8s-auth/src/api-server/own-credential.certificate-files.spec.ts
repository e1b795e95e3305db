import { describe, expect, it } from '@jest/globals';
import { type TLSSocket } from 'node:tls';
import { CertificateAuthority } from '../../testing/local-cluster/certificates.js';
import { issueLoopback, startHttpsServer } from '../http/https-server.fixture.js';
import { type ApiServerClient } from './api-server.client.js';

import { ask, CredentialBench } from './own-credential.fixture.js';

const bench = new CredentialBench();

describe('a client certificate in files that a kubeconfig names', () => {
  let known: string;
  let requests: number;
  let authority: CertificateAuthority;

  /** Connects to an API server that accepts one client certificate, identified by its subject. */
  async function connectByFiles(): Promise<ApiServerClient> {
    authority = await CertificateAuthority.create();
    requests = 0;
    const server = await startHttpsServer(await issueLoopback(authority), ({ socket }, response) => {
      requests++;
      const { subject } = (socket as TLSSocket).getPeerCertificate();
      response.writeHead(subject.CN === known ? 200 : 401).end();
    });
    bench.toClose.push(() => server.close());
    await rotate('first');
    const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' };
    return bench.connect({
      kubeconfigFile: bench.write('kubeconfig', kubeconfig({ url: server.url, ca: authority.pem, user })),
    });
  }

  async function rotate(name: string): Promise<void> {
    const { cert, key } = await authority.issue({ subject: `CN=${name}`, usage: 'client' });
    bench.write('client.crt', cert);
    bench.write('client.key', key);
  }

  it('is read again after a 401, once for all refused requests', async () => {
    known = 'first';
    const client = await connectByFiles();
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
    await rotate('second');
    known = 'second';
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(client)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('is read again at most twice a second', async () => {
    known = 'second';
    const client = await connectByFiles();
    await expect(ask(client)).rejects.toThrow('refuses our own credential');
    await rotate('second');
    await bench.clock.advance(499);
    await expect(ask(client)).rejects.toThrow('refuses our own credential');
    expect(requests).toBe(2);
    await bench.clock.advance(1);
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
  });

  it('does not change while the files cannot be used', async () => {
    known = 'second';
    const client = await connectByFiles();
    bench.write('client.crt', 'half a file');
    await expect(ask(client)).rejects.toThrow('refuses our own credential');
    known = 'first';
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
  });
});

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
