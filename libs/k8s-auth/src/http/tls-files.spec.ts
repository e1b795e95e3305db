import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority } from '../../testing/local-cluster/certificates.js';
import { HttpsClient } from './https-client.js';
import { type TlsSettings } from './tls-source.js';
import {
  endless,
  type HttpsServer,
  issueLoopback,
  startHttpsServer,
  turn,
  until,
} from './https-server.fixture.js';
import { CapturedLog } from '../api-server/own-cluster.fixture.js';

let oldAuthority: CertificateAuthority;
let newAuthority: CertificateAuthority;
let server: HttpsServer;
let client: HttpsClient;
let clock: FakeClock;
let log: CapturedLog;
let reads: number;
let onDisk: () => Promise<TlsSettings>;

beforeAll(async () => {
  [oldAuthority, newAuthority] = await Promise.all([
    CertificateAuthority.create(),
    CertificateAuthority.create(),
  ]);
});

beforeEach(async () => {
  clock = new FakeClock();
  log = new CapturedLog();
  reads = 0;
  onDisk = () => Promise.resolve({ ca: oldAuthority.pem });
  await serveAs(oldAuthority);
  const readTls = () => {
    reads++;
    return onDisk();
  };
  client = new HttpsClient({ of: 'the issuer', tls: { ca: oldAuthority.pem }, readTls }, { clock, log });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

async function serveAs(authority: CertificateAuthority, port?: number): Promise<void> {
  const certificate = await issueLoopback(authority);
  server = await startHttpsServer(certificate, (_request, response) => response.end('hello'), port);
}

/** The same address with another certificate, as after a restart of the API server. */
async function restartAs(authority: CertificateAuthority): Promise<void> {
  await server.close();
  await serveAs(authority, Number(new URL(server.url).port));
}

function ask() {
  return client.request({
    method: 'GET',
    url: server.url,
    headers: {},
    deadline: endless(),
    maxBytes: 100,
  });
}

describe('a server that is no longer trusted', () => {
  it('is called again once when the certificate files have changed', async () => {
    await ask();
    await clock.advance(60_000);
    onDisk = () => Promise.resolve({ ca: newAuthority.pem });
    await restartAs(newAuthority);
    await expect(ask()).resolves.toMatchObject({ body: 'hello' });
    expect(log.messages('log')).toStrictEqual(['certificates for the issuer have changed']);
  });

  it('is rejected when the certificate files have not changed, and they are read at most once a minute', async () => {
    await restartAs(newAuthority);
    for (let n = 0; n < 3; n++) await expect(ask()).rejects.toHaveProperty('code');
    expect(reads).toBe(0);
    await clock.advance(60_000);
    for (let n = 0; n < 3; n++) await expect(ask()).rejects.toHaveProperty('code');
    expect(reads).toBe(1);
    await clock.advance(60_000);
    onDisk = () => Promise.resolve({ ca: newAuthority.pem });
    await Promise.all([ask(), ask(), ask()]);
    expect(reads).toBe(2);
  });

  it('is rejected when the certificate files are unusable', async () => {
    await clock.advance(60_000);
    await restartAs(newAuthority);
    onDisk = () => Promise.reject(new Error('half a certificate'));
    await expect(ask()).rejects.toHaveProperty('code');
    expect(log.messages('warn')).toStrictEqual([
      'certificates for the issuer cannot be reloaded, the last good ones are used: half a certificate',
    ]);
  });

  it('is not confused with an unreachable server', async () => {
    await clock.advance(60_000);
    await server.close();
    await expect(ask()).rejects.toHaveProperty('code', 'ECONNREFUSED');
    expect(reads).toBe(0);
  });
});

describe('certificate files, every ten minutes', () => {
  it('are read again, and the connections stay open if nothing has changed', async () => {
    await ask();
    await clock.advance(599_999);
    await ask();
    expect(reads).toBe(0);
    await clock.advance(1);
    await ask();
    await turn();
    await ask();
    expect(reads).toBe(1);
    expect(server.connections()).toBe(1);
  });

  it('are read again, so that a removed CA is no longer trusted', async () => {
    await ask();
    await clock.advance(600_000);
    onDisk = () => Promise.resolve({ ca: newAuthority.pem });
    await ask();
    await until(() => log.events.length > 0);
    await expect(ask()).rejects.toHaveProperty('code');
  });
});

describe('a new client certificate', () => {
  let certificate: object;

  beforeEach(async () => {
    await client.close();
    certificate = {};
    const readTls = () => {
      reads++;
      return onDisk();
    };
    const tls = { ca: oldAuthority.pem };
    client = new HttpsClient(
      { of: 'the issuer', tls, readTls, clientCertificate: () => certificate },
      { clock, log },
    );
    await ask();
    reads = 0;
    certificate = {};
  });

  it('is loaded by the next request if the first request could not load it', async () => {
    onDisk = () => Promise.reject(new Error('half a certificate'));
    await ask();
    onDisk = () => Promise.resolve({ ca: newAuthority.pem });
    await expect(ask()).rejects.toHaveProperty('code');
    expect(reads).toBe(2);
    await expect(ask()).rejects.toHaveProperty('code');
    expect(reads).toBe(2);
  });

  it('is loaded once, and all requests wait for it', async () => {
    let load = () => {};
    onDisk = () => new Promise((resolve) => (load = () => resolve({ ca: newAuthority.pem })));
    const outcomes = Promise.allSettled([ask(), turn().then(ask)]);
    await until(() => reads === 1);
    await turn();
    await turn();
    load();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(reads).toBe(1);
  });
});
