import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority, type KeyAndCertificate } from '../../testing/local-cluster/certificates.js';
import { HttpsClient } from './https-client.js';
import { clientWith, endless, issueLoopback, startHttpsServer } from './https-server.fixture.js';

// root -> intermediate -> leaf, and strangers of the same names.
let root: CertificateAuthority;
let intermediate: CertificateAuthority;
let expiredIntermediate: CertificateAuthority;
let stranger: CertificateAuthority;
let leaf: KeyAndCertificate;

const toClose: (() => Promise<void>)[] = [];

beforeAll(async () => {
  [root, stranger] = await Promise.all([CertificateAuthority.create(), CertificateAuthority.create()]);
  intermediate = await root.issueAuthority();
  expiredIntermediate = await root.issueAuthority({ isExpired: true });
  leaf = await issueLoopback(intermediate);
});

afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

/** @param chain what the server sends, its own certificate first */
async function ask(ca: string, certificate: KeyAndCertificate, ...chain: string[]): Promise<string> {
  const sent = { key: certificate.key, cert: [certificate.cert, ...chain].join('') };
  const server = await startHttpsServer(sent, (_request, response) => response.end('hello'));
  const client = clientWith({ ca }, new FakeClock());
  toClose.push(
    () => client.close(),
    () => server.close(),
  );
  const deadline = endless();
  const request = { method: 'GET', url: server.url, headers: {}, deadline, maxBytes: 100 } as const;
  return client.request(request).then(
    ({ body }) => body,
    (error: unknown) => String((error as { code?: unknown }).code),
  );
}

describe('HttpsClient with an intermediate CA as the only CA', () => {
  it('trusts a server that sends only its own certificate', async () => {
    expect(await ask(intermediate.pem, leaf)).toBe('hello');
  });

  it('trusts a server that sends the intermediate CA too', async () => {
    expect(await ask(intermediate.pem, leaf, intermediate.pem)).toBe('hello');
  });

  it('trusts a server that sends the whole chain', async () => {
    expect(await ask(intermediate.pem, leaf, intermediate.pem, root.pem)).toBe('hello');
  });

  it('trusts a certificate of a lower intermediate CA', async () => {
    const lower = await intermediate.issueAuthority();
    expect(await ask(intermediate.pem, await issueLoopback(lower), lower.pem)).toBe('hello');
  });

  it('trusts a server whose own certificate is the trust anchor', async () => {
    expect(await ask(leaf.cert, leaf)).toBe('hello');
    expect(await ask(leaf.cert, await issueLoopback(intermediate))).toMatch(/^UNABLE_TO_/);
  });

  it('rejects a server of another intermediate CA of the same root', async () => {
    const other = await root.issueAuthority();
    expect(await ask(intermediate.pem, await issueLoopback(other), other.pem, root.pem)).toMatch(
      /^(?:UNABLE_TO_|SELF_)/,
    );
  });

  it('rejects a server with a certificate of the root itself', async () => {
    expect(await ask(intermediate.pem, await issueLoopback(root), root.pem)).toMatch(/^(?:UNABLE_TO_|SELF_)/);
  });

  it('rejects a server whose certificate has expired', async () => {
    const spec = { subject: 'CN=x', usage: 'server', ipAddresses: ['127.0.0.1'], isExpired: true } as const;
    expect(await ask(intermediate.pem, await intermediate.issue(spec))).toBe('CERT_HAS_EXPIRED');
  });

  it('rejects a server with another host name', async () => {
    const spec = { subject: 'CN=x', usage: 'server', dnsNames: ['other.example'] } as const;
    expect(await ask(intermediate.pem, await intermediate.issue(spec))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('does not trust an expired CA', async () => {
    expect(await ask(expiredIntermediate.pem, await issueLoopback(expiredIntermediate))).toBe(
      'CERT_HAS_EXPIRED',
    );
  });
});

describe('the error of HttpsClient for a server that is not trusted', () => {
  it.each([
    ['by the roots of the system', undefined, () => leaf, "; option 'caFile' names the CA to trust"],
    ['by another CA', () => stranger.pem, () => leaf, "; option 'caFile' names the CA to trust"],
    [
      'by its name, which no CA changes',
      () => intermediate.pem,
      () => intermediate.issue({ subject: 'CN=x', usage: 'server' as const, dnsNames: ['other.example'] }),
      '',
    ],
  ])('%s', async (_, ca, certificate, hint) => {
    const server = await startHttpsServer(await certificate(), (_request, response) => response.end());
    const tls = ca ? { ca: ca() } : {};
    const log = { log: () => {}, warn: () => {}, error: () => {} };
    const client = new HttpsClient(
      { of: 'the server', caOption: 'caFile', tls, readTls: () => Promise.resolve(tls) },
      { clock: new FakeClock(), log },
    );
    toClose.push(
      () => client.close(),
      () => server.close(),
    );
    const request = {
      method: 'GET',
      url: server.url,
      headers: {},
      deadline: endless(),
      maxBytes: 100,
    } as const;
    const { message } = await client.request(request).then(
      () => new Error('was trusted'),
      (error: Error) => error,
    );
    expect(message).toMatch(hint === '' ? /^(?!.*caFile)/ : new RegExp(`^[\\w ()]+${hint}$`));
  });
});

describe('HttpsClient with a root CA', () => {
  it('trusts a server that sends the intermediate CA, and no other server', async () => {
    expect(await ask(root.pem, leaf, intermediate.pem)).toBe('hello');
  });

  it('rejects a server that does not send the intermediate CA', async () => {
    expect(await ask(root.pem, leaf)).toMatch(/^UNABLE_TO_/);
  });

  it('rejects a server of another root with the same name', async () => {
    expect(await ask(stranger.pem, leaf, intermediate.pem)).toMatch(/^(?:UNABLE_TO_|CERT_SIGNATURE_FAILURE)/);
  });
});
