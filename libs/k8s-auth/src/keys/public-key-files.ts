import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type PemBlock, readPemBlocks } from '../http/tls-source.js';
import { UnfitKeyError, type VerificationKey, verificationKeyOf } from '../jwt/verification-key.js';
import { ConfigurationError } from '../errors.js';
import { type FetchedKeys, type KeySource, KeySourceError } from './key-source.js';

/** Either the keys of some files, or the mistakes in the files. */
export type LoadedKeys =
  | { readonly keys: readonly VerificationKey[]; readonly mistakes?: undefined }
  | { readonly mistakes: readonly string[]; readonly keys?: undefined };

/**
 * Reads keys from PEM files. The keys verify tokens of every issuer in the list, because a file does not name an
 * issuer.
 */
export class PublicKeyFiles implements KeySource {
  constructor(
    private readonly files: readonly string[],
    private readonly issuers: readonly string[],
  ) {}

  /** @throws {KeySourceError} names the first mistake */
  async fetch(): Promise<FetchedKeys> {
    const { keys, mistakes } = await loadPublicKeys(this.files);
    if (!keys) throw new KeySourceError(`public key files: ${mistakes[0]}`);
    return { issuers: this.issuers, keys };
  }

  /** Like {@link fetch}, for startup. @throws {ConfigurationError} names every mistake in every file */
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
 * Reads every block of every file. One bad block makes the whole result a failure: otherwise a key that the operator
 * configured would be missing without an error.
 * @internal
 */
export async function loadPublicKeys(files: readonly string[]): Promise<LoadedKeys> {
  // The files are read at the same time, but parsed in order, so that the mistakes are in the order of the files.
  const texts = await Promise.all(files.map(readText));
  const mistakes: string[] = [];
  const keys = files.flatMap((file, index) =>
    parseFile(texts[index], (mistake) => mistakes.push(`${file}: ${mistake}`)),
  );
  return mistakes.length > 0 ? { mistakes } : { keys };
}

function parseFile(text: string | undefined, addMistake: (mistake: string) => void): VerificationKey[] {
  if (text === undefined) {
    addMistake('expected a file that can be read');
    return [];
  }
  const blocks = readPemBlocks(text);
  if (!blocks || blocks.length === 0) {
    addMistake(
      blocks
        ? 'expected a PEM block'
        : 'expected PEM blocks: base64 text between a BEGIN line and an END line',
    );
    return [];
  }
  return blocks.flatMap((block, index) => {
    try {
      return [verificationKeyOf(parseBlock(block))];
    } catch (error) {
      // The parser's own message names OpenSSL internals, which do not help the reader.
      const reason = error instanceof UnfitKeyError ? error.message : 'expected a key that can be parsed';
      addMistake(`block ${index + 1} (${block.label}): ${reason}`);
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
      // Reject private keys, although createPublicKey could derive the public key: a service that only verifies must
      // not hold the key that signs tokens for every ServiceAccount of the cluster.
      throw new UnfitKeyError('expected PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE');
  }
}
