import { KeyObject, webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import { systemClock } from '../../src/util/clock.js';
import { importOptional } from '../../src/util/optional-package.js';

/** PEM texts. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateSpec {
  /** X.500 name, such as `CN=kubernetes-admin, O=system:masters`. */
  readonly subject: string;
  readonly usage: 'server' | 'client';
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly isExpired?: boolean;
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/** A certificate authority of one process: its key is never written anywhere. */
export class CertificateAuthority {
  private constructor(
    private readonly x509: typeof X509,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly certificate: X509.X509Certificate,
  ) {}

  /** @throws {ConfigurationError} the optional package @peculiar/x509 is missing */
  static async create(): Promise<CertificateAuthority> {
    const x509 = await importOptional('@peculiar/x509', 'LocalCluster', importX509);
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=kubernetes',
      serialNumber: serialNumber(),
      ...validity(false),
      signingAlgorithm: P256,
      keys,
      extensions: await authorityExtensions(x509, keys.publicKey),
    });
    return new CertificateAuthority(x509, keys, certificate);
  }

  /** An intermediate authority: its certificate is signed by this one. */
  async issueAuthority({ isExpired = false } = {}): Promise<CertificateAuthority> {
    const { x509 } = this;
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: 'CN=kubernetes-intermediate',
      issuer: this.certificate.subject,
      serialNumber: serialNumber(),
      ...validity(isExpired),
      signingAlgorithm: P256,
      signingKey: this.keys.privateKey,
      publicKey: keys.publicKey,
      extensions: [
        ...(await authorityExtensions(x509, keys.publicKey)),
        await x509.AuthorityKeyIdentifierExtension.create(this.certificate, false),
      ],
    });
    return new CertificateAuthority(x509, keys, certificate);
  }

  /** The certificate to trust. */
  get pem(): string {
    return `${this.certificate.toString('pem')}\n`;
  }

  async issue({ subject, usage, isExpired = false, ...names }: CertificateSpec): Promise<KeyAndCertificate> {
    const { x509 } = this;
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: this.certificate.subject,
      serialNumber: serialNumber(),
      ...validity(isExpired),
      signingAlgorithm: P256,
      signingKey: this.keys.privateKey,
      publicKey: keys.publicKey,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[`${usage}Auth`]]),
        await x509.AuthorityKeyIdentifierExtension.create(this.certificate, false),
        ...alternativeNames(x509, names),
      ],
    });
    const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
    return { key: key.toString(), cert: `${certificate.toString('pem')}\n` };
  }
}

async function importX509(): Promise<typeof X509> {
  // The package needs the metadata API before it is loaded.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function authorityExtensions(
  x509: typeof X509,
  publicKey: webcrypto.CryptoKey,
): Promise<X509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey, false),
  ];
}

function alternativeNames(
  x509: typeof X509,
  { dnsNames = [], ipAddresses = [] }: Partial<CertificateSpec>,
): X509.Extension[] {
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  return names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [];
}

/** Uses the machine's clock instead of the cluster's, because TLS clients use it too. */
function validity(isExpired: boolean): { notBefore: Date; notAfter: Date } {
  const nowMs = systemClock.wallMs();
  return {
    notBefore: new Date(nowMs - 24 * HOUR_MS),
    notAfter: new Date(isExpired ? nowMs - HOUR_MS : nowMs + YEAR_MS),
  };
}

function serialNumber(): string {
  // A leading 01 keeps the number positive and of full length (RFC 5280 §4.1.2.2).
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(12))).toString('hex')}`;
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
}
