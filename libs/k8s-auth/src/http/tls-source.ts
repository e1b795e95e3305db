import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ConfigurationError, type Mistake, type MistakePlace } from '../errors.js';

/** The settings of a TLS connection: how the peer is checked, and our client certificate. */
export interface TlsSettings {
  /** PEM certificates. Each is a trust anchor, even an intermediate CA. Omitted: the system's roots. */
  readonly ca?: string;
  /** PEM client certificate and key. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must have, if it differs from the host in the URL. */
  readonly servername?: string;
}

/** PEM text, or the file that holds it. */
export type PemSource = {
  /** Where the user has set it: an option, or a kubeconfig. With a kubeconfig, `field` is the field in it. */
  readonly place: MistakePlace;
  readonly field?: string;
} & ({ readonly file: string } | { readonly text: string });

/** The sources of the TLS settings of a connection. Files can be read again when certificates are replaced. */
export interface TlsSource {
  readonly ca?: PemSource;
  readonly cert?: PemSource;
  readonly key?: PemSource;
  readonly servername?: string;
}

/** The labels of the PEM blocks that are used, and of those that are ignored. Any other block is a mistake. */
interface Blocks {
  readonly used: readonly string[];
  readonly ignored: readonly string[];
}

const CERTIFICATES = ['CERTIFICATE', 'X509 CERTIFICATE'];
const PRIVATE_KEYS = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'];
// The kubelet and other programs keep a client certificate and its key in one file.
const BLOCKS_OF: Readonly<Record<'ca' | 'cert' | 'key', Blocks>> = {
  ca: { used: CERTIFICATES, ignored: [] },
  cert: { used: CERTIFICATES, ignored: [...PRIVATE_KEYS, 'EC PARAMETERS'] },
  key: { used: PRIVATE_KEYS, ignored: [...CERTIFICATES, 'EC PARAMETERS'] },
};

/**
 * Reads and checks the sources. The settings contain only the checked blocks, formatted again, so that TLS cannot read
 * the files differently.
 * @throws {ConfigurationError} with every file that is missing or has other content
 * @internal
 */
export async function readTls({ servername, ...sources }: TlsSource): Promise<TlsSettings> {
  const mistakes: Mistake[] = [];
  const addMistake = ({ place, field }: PemSource, message: string) =>
    mistakes.push({ place, message: field === undefined ? message : `${field}: ${message}` });
  const read = async (part: keyof typeof BLOCKS_OF) => {
    const source = sources[part];
    if (!source) return {};
    try {
      return { [part]: usedBlocks(await readText(source), BLOCKS_OF[part]) };
    } catch (error) {
      const where = 'file' in source ? ` in ${source.file}` : '';
      addMistake(source, `expected PEM${where}${(error as UnfitPemError).message}`);
      return {};
    }
  };
  const [ca, cert, key] = await Promise.all([read('ca'), read('cert'), read('key')]);
  const pair: Pick<TlsSettings, 'cert' | 'key'> = { ...cert, ...key };
  const certificate = sources.cert ?? sources.key;
  if (mistakes.length === 0 && certificate && !belongTogether(pair)) {
    addMistake(certificate, 'expected a certificate and its private key');
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return { ...ca, ...pair, ...(servername !== undefined && { servername }) };
}

/** The message continues "expected PEM in <file>". It quotes labels, but no other content of the file. */
class UnfitPemError extends Error {}

async function readText(source: PemSource): Promise<string> {
  if ('text' in source) return source.text;
  try {
    return await readFile(source.file, 'utf8');
  } catch {
    throw new UnfitPemError(', which cannot be read');
  }
}

function usedBlocks(text: string, { used, ignored }: Blocks): string {
  const blocks = readPemBlocks(text);
  if (!blocks) throw new UnfitPemError(', got an incomplete block');
  const pems = blocks.flatMap((block, index) => {
    const name = `block ${index + 1} (${block.label})`;
    if (ignored.includes(block.label)) return [];
    if (!used.includes(block.label)) throw new UnfitPemError(`: expected ${used[0]}, got ${name}`);
    if (!isReadable(block)) throw new UnfitPemError(`: expected one certificate in ${name}`);
    return [formatPem(block)];
  });
  if (pems.length === 0) throw new UnfitPemError(`: expected ${used[0]}, got none`);
  return pems.join('');
}

/** Checks each certificate separately, because Node reads only the first one and ignores blocks that it cannot read. */
function isReadable({ label, der }: PemBlock): boolean {
  if (!CERTIFICATES.includes(label)) return true;
  try {
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    return false;
  }
}

function belongTogether({ cert, key }: Pick<TlsSettings, 'cert' | 'key'>): boolean {
  if (cert === undefined && key === undefined) return true;
  if (cert === undefined || key === undefined) return false;
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}

/** One block of a PEM file (RFC 7468). */
export interface PemBlock {
  /** `PUBLIC KEY`, `CERTIFICATE` … */
  readonly label: string;
  readonly der: Buffer;
}

const BOUNDARY = /-----(BEGIN|END)(?: ([A-Z0-9][A-Z0-9 ]*)-----)?/g;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const LINE_LENGTH = 64;

/**
 * Reads all blocks of a file, in their order. The platform's parsers are not used: they read only the first key of a
 * file, and silently ignore CA certificates that are indented or on one line (`-----END X----------BEGIN X-----`). This
 * function reads such blocks. It ignores text around blocks (RFC 7468 §2), so a block after `#` does not count.
 * @returns `undefined` if a block has no end, no beginning, another label at its end, or is not base64
 * @internal
 */
export function readPemBlocks(text: string): readonly PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly start: number } | undefined;
  let end = 0;
  for (const { 0: boundary, 1: kind, 2: label, index } of text.matchAll(BOUNDARY)) {
    if (!open && !startsLine(text, index) && !isBlank(text.slice(end, index))) continue;
    if (label === undefined || (kind === 'BEGIN') === (open !== undefined)) return undefined;
    end = index + boundary.length;
    if (!open) {
      open = { label, start: end };
      continue;
    }
    const body = text.slice(open.start, index).replace(/\s+/g, '');
    if (open.label !== label || !BASE64.test(body)) return undefined;
    blocks.push({ label, der: Buffer.from(body, 'base64') });
    open = undefined;
  }
  return open ? undefined : blocks;
}

/** Formats a block so that every parser accepts it. @internal */
export function formatPem({ label, der }: PemBlock): string {
  const lines = der.toString('base64').match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function startsLine(text: string, index: number): boolean {
  const lineStart = Math.max(text.lastIndexOf('\n', index), text.lastIndexOf('\r', index)) + 1;
  return isBlank(text.slice(lineStart, index));
}

/** `trim` also removes a byte order mark. */
function isBlank(text: string): boolean {
  return text.trim() === '';
}
