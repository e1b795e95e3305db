import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ConfigurationError } from '../errors/index.js';
import { type TlsSettings } from '../shared/https-client.js';

/** PEM text, or the file that holds it. `name` is how the user calls it: an option, or a field of a kubeconfig. */
export type PemSource = { readonly name: string } & ({ readonly file: string } | { readonly text: string });

/** Where the TLS settings of a connection come from; files are read again when certificates are replaced. */
export interface TlsSource {
  readonly ca?: PemSource;
  readonly cert?: PemSource;
  readonly key?: PemSource;
  readonly servername?: string;
}

/** @throws {ConfigurationError} with every file that is missing or holds no such thing @internal */
export async function readTls({ ca, cert, key, servername }: TlsSource): Promise<TlsSettings> {
  const mistakes: string[] = [];
  const read = async (source: PemSource | undefined, isFit: (pem: string) => boolean) => {
    if (!source) return undefined;
    const pem = await readPem(source);
    if (pem !== undefined && isFit(pem)) return pem;
    const where = 'file' in source ? ` in ${source.file}` : '';
    mistakes.push(`${source.name}: expected PEM${where}${pem === undefined ? ', which cannot be read' : ''}`);
    return undefined;
  };
  const [caPem, certPem, keyPem] = await Promise.all([
    read(ca, holdsCertificates),
    read(cert, holdsCertificates),
    read(key, (pem) => pem.includes('PRIVATE KEY-----')),
  ]);
  if (mistakes.length === 0 && !belongTogether(certPem, keyPem)) {
    mistakes.push(`${cert?.name ?? key?.name}: expected a certificate and the private key of it`);
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return {
    ...(caPem !== undefined && { ca: caPem }),
    ...(certPem !== undefined && { cert: certPem, key: keyPem }),
    ...(servername !== undefined && { servername }),
  };
}

async function readPem(source: PemSource): Promise<string | undefined> {
  if ('text' in source) return source.text;
  try {
    return await readFile(source.file, 'utf8');
  } catch {
    return undefined;
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** All of them are looked at: Node itself goes by the first and says nothing of the rest. */
function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(CERTIFICATE) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

function belongTogether(cert: string | undefined, key: string | undefined): boolean {
  if (cert === undefined && key === undefined) return true;
  if (cert === undefined || key === undefined) return false;
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}
