import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type TLSSocket } from 'node:tls';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority, type KeyAndCertificate } from '../../testing/local-cluster/certificates.js';
import { type HttpsClient } from './https-client.js';
import { clientWith, endless, type HttpsServer, startHttpsServer } from './https-server.fixture.js';

let authority: CertificateAuthority;
let certificate: KeyAndCertificate;
let client: HttpsClient;
const servers: HttpsServer[] = [];

/** Answers with its name and the server name that the client asked for in the TLS handshake. */
async function startNamed(name: string): Promise<string> {
  const server = await startHttpsServer(certificate, ({ socket }, response) => {
    const { servername } = socket as TLSSocket & { readonly servername?: string | false };
    response.end(`${name}, asked for ${String(servername)}`);
  });
  servers.push(server);
  return server.url;
}

async function get(url: string): Promise<string> {
  const call = { method: 'GET', url, headers: {}, deadline: endless(), maxBytes: 100 } as const;
  return (await client.request(call)).body;
}

beforeEach(async () => {
  authority = await CertificateAuthority.create();
  certificate = await authority.issue({
    subject: 'CN=loopback',
    usage: 'server',
    dnsNames: ['localhost', 'api.example'],
    ipAddresses: ['127.0.0.1'],
  });
  client = clientWith({ ca: authority.pem }, new FakeClock());
});

afterEach(async () => {
  await client.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('the server name of HttpsClient', () => {
  it('is the host of the URL, and none for an IP address', async () => {
    const url = await startNamed('one');
    await expect(get(url)).resolves.toBe('one, asked for false');
    await expect(get(url.replace('127.0.0.1', 'localhost'))).resolves.toBe('one, asked for localhost');
  });

  it('is the one of the settings if they name one', async () => {
    const url = await startNamed('one');
    await client.close();
    client = clientWith({ ca: authority.pem, servername: 'api.example' }, new FakeClock());
    await expect(get(url)).resolves.toBe('one, asked for api.example');
  });
});

describe('the connections of HttpsClient', () => {
  it('are kept open, and used for their server only', async () => {
    const [one, two] = [await startNamed('one'), await startNamed('two')];
    for (let round = 0; round < 3; round++) {
      await expect(get(one)).resolves.toBe('one, asked for false');
      await expect(get(two)).resolves.toBe('two, asked for false');
    }
    expect(servers.map((server) => server.connections())).toEqual([1, 1]);
  });
});
