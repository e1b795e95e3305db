import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type PemBlock, readPemBlocks } from '../http/tls-source.js';
import { UnfitKeyError, type VerificationKey, verificationKeyOf } from '../jwt/verification-key.js';
import { ConfigurationError } from '../errors.js';
import { type FetchedKeys, type KeySource, KeySourceError } from './key-source.js';

/** The keys of some files, or what is wrong with the files: never both. */
export type LoadedKeys =
  | { readonly keys: readonly VerificationKey[]; readonly mistakes?: undefined }
  | { readonly mistakes: readonly string[]; readonly keys?: undefined };

/** PEM files as a source of keys, which verify tokens of every issuer of the list: files do not tell whose keys they hold. */
export class PublicKeyFiles implements KeySource {
  constructor(
    private readonly files: readonly string[],
    private readonly issuers: readonly string[],
  ) {}

  /** @throws {KeySourceError} with the first mistake */
  async fetch(): Promise<FetchedKeys> {
    const { keys, mistakes } = await loadPublicKeys(this.files);
    if (!keys) throw new KeySourceError(`public key files: ${mistakes[0]}`);
    return { issuers: this.issuers, keys };
  }

  /** The same at startup. @throws {ConfigurationError} with every mistake in every file */
  async fetchFirst(): Promise<FetchedKeys> {
    const { keys, mistakes } = await loadPublicKeys(this.files);
    if (!keys) {
      throw new ConfigurationError(
        mistakes.map((message) => ({ place: { option: 'publicKeyFiles' }, message })),
      );
    }
    return { issuers: this.issuers, keys };
  }
}

/**
 * Reads every block of every file. One bad block spoils the lot: a key that someone meant to be there would
 * otherwise be missing in silence.
 * @internal
 */
export async function loadPublicKeys(files: readonly string[]): Promise<LoadedKeys> {
  // All at a time, but looked at in their order: so are the mistakes.
  const texts = await Promise.all(files.map(readText));
  const mistakes: string[] = [];
  const keys = files.flatMap((file, index) =>
    parseFile(texts[index], (mistake) => mistakes.push(`${file}: ${mistake}`)),
  );
  return mistakes.length > 0 ? { mistakes } : { keys };
}

function parseFile(text: string | undefined, complain: (mistake: string) => void): VerificationKey[] {
  if (text === undefined) {
    complain('expected a file that can be read');
    return [];
  }
  const blocks = readPemBlocks(text);
  if (!blocks || blocks.length === 0) {
    complain(blocks ? 'expected a PEM block' : 'expected PEM blocks with beginning and end, of base64');
    return [];
  }
  return blocks.flatMap((block, index) => {
    try {
      return [verificationKeyOf(parseBlock(block))];
    } catch (error) {
      // Parsers' own words quote nothing, but name things of OpenSSL that nobody looks for here.
      const reason = error instanceof UnfitKeyError ? error.message : 'expected a key that can be parsed';
      complain(`block ${index + 1} (${block.label}): ${reason}`);
      return [];
    }
  });
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parseBlock({ label, der }: PemBlock): KeyObject {
  switch (label) {
    case 'PUBLIC KEY':
      return createPublicKey({ key: der, format: 'der', type: 'spki' });
    case 'RSA PUBLIC KEY':
      return createPublicKey({ key: der, format: 'der', type: 'pkcs1' });
    case 'CERTIFICATE':
    case 'X509 CERTIFICATE':
      return new X509Certificate(der).publicKey;
    default:
      // Not even to derive the public half, as createPublicKey would: a service that verifies has no business
      // holding what signs for every ServiceAccount of the cluster.
      throw new UnfitKeyError('expected PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE');
  }
}
