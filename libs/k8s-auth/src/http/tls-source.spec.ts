import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority, type KeyAndCertificate } from '../../testing/local-cluster/certificates.js';
import { ConfigurationError } from '../errors.js';
import { clientWith, endless, issueLoopback, startHttpsServer } from './https-server.fixture.js';
import { readTls } from './tls-source.js';

let first: CertificateAuthority;
let second: CertificateAuthority;
let client: KeyAndCertificate;
let directory: string;

beforeAll(async () => {
  [first, second] = await Promise.all([CertificateAuthority.create(), CertificateAuthority.create()]);
  client = await first.issue({ subject: 'CN=somebody', usage: 'client' });
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tls-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function source(name: string, content: string | Buffer): { place: string; file: string } {
  const file = join(directory, name);
  writeFileSync(file, content);
  return { place: `option '${name}'`, file };
}

const glued = () => first.pem.trimEnd() + second.pem.trimEnd();
const derOf = (pem: string) => new X509Certificate(pem).raw;
const body = (der: Buffer) => der.toString('base64');

/** Whether a real server of this CA is trusted. */
async function isTrusted(authority: CertificateAuthority, ca: string | undefined): Promise<boolean> {
  const server = await startHttpsServer(await issueLoopback(authority), (_request, response) =>
    response.end(),
  );
  const https = clientWith({ ...(ca !== undefined && { ca }) }, new FakeClock());
  const deadline = endless();
  const asked = https.request({ method: 'GET', url: server.url, headers: {}, deadline, maxBytes: 1 });
  const outcome = await asked.then(
    () => true,
    () => false,
  );
  await https.close();
  await server.close();
  return outcome;
}

describe('readTls', () => {
  it.each<[string, () => string]>([
    ['one below the other', () => first.pem + second.pem],
    ['glued together', glued],
    ['with Windows line ends', () => (first.pem + second.pem).replace(/\n/g, '\r\n')],
    ['behind a byte order mark', () => `\uFEFF${first.pem}${second.pem}`],
    ['indented', () => (first.pem + second.pem).replace(/^(?=.)/gm, '    ')],
    ['with comments between', () => `# old\n${first.pem}\nsubject=CN = new\n${second.pem}# end`],
    ['with their old label', () => (first.pem + second.pem).replace(/(BEGIN|END) /g, '$1 X509 ')],
  ])('trusts every certificate of a CA file: %s', async (_, text) => {
    const { ca } = await readTls({ ca: source('ca.crt', text()) });
    expect(ca?.match(/BEGIN/g)).toHaveLength(2);
    expect(await Promise.all([first, second].map((one) => isTrusted(one, ca)))).toEqual([true, true]);
  });

  it.each<[string, () => string | Buffer, string]>([
    ['in DER', () => derOf(first.pem), ': expected CERTIFICATE, got none'],
    [
      'with trust settings of OpenSSL',
      () => first.pem + first.pem.replace(/(BEGIN|END) /g, '$1 TRUSTED '),
      ': expected CERTIFICATE, got block 2 (TRUSTED CERTIFICATE)',
    ],
    [
      'in a PKCS #7 block',
      () => first.pem + first.pem.replace(/CERTIFICATE/g, 'PKCS7'),
      ': expected CERTIFICATE, got block 2 (PKCS7)',
    ],
    ['and a private key', () => first.pem + client.key, ': expected CERTIFICATE, got block 2 (PRIVATE KEY)'],
    [
      'two in one block',
      () => block(Buffer.concat([derOf(first.pem), derOf(second.pem)])),
      ': expected one certificate in block 1 (CERTIFICATE)',
    ],
    [
      'one of which is broken',
      () => first.pem + block(Buffer.from('no certificate')),
      ': expected one certificate in block 2 (CERTIFICATE)',
    ],
    ['one of which is cut off', () => first.pem + second.pem.slice(0, 200), ', got an incomplete block'],
  ])('rejects a CA file with certificates %s', async (_, content, reason) => {
    const ca = source('ca.crt', content());
    const reading = readTls({ ca });
    await expect(reading).rejects.toBeInstanceOf(ConfigurationError);
    await expect(reading).rejects.toThrow(`option 'ca.crt': expected PEM in ${ca.file}${reason}`);
  });

  it('reads a client certificate and its key from one file, as the kubelet stores them', async () => {
    const both = source('kubelet-client-current.pem', client.cert + first.pem + client.key);
    const tls = await readTls({ cert: both, key: both });
    expect(tls).toEqual({ cert: client.cert + first.pem, key: client.key });
  });

  it.each<[string, () => { cert?: string; key?: string }, string]>([
    [
      'without its key',
      () => ({ cert: client.cert }),
      "option 'cert': expected a certificate and its private key",
    ],
    [
      'without its certificate',
      () => ({ key: client.key }),
      "option 'key': expected a certificate and its private key",
    ],
    [
      'with an encrypted key',
      () => ({ cert: client.cert, key: client.key.replace(/PRIVATE/g, 'ENCRYPTED PRIVATE') }),
      'got block 1 (ENCRYPTED PRIVATE KEY)',
    ],
    [
      'with a certificate for a key',
      () => ({ cert: client.cert, key: client.cert }),
      'expected PRIVATE KEY, got none',
    ],
  ])('rejects a client certificate %s', async (_, files, mistake) => {
    const sources = Object.entries(files()).map(([name, text]) => [name, source(name, text)] as const);
    await expect(readTls(Object.fromEntries(sources))).rejects.toThrow(mistake);
  });
});

function block(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${body(der)}\n-----END CERTIFICATE-----\n`;
}
