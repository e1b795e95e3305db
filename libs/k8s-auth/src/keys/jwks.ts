import { type HttpsResponse } from '../http/https-client.js';
import { nextTurn } from '../util/timers.js';
import { isJsonObject, member } from '../jwt/compact-jws.js';
import { type VerificationKey, verificationKeyOfJwk } from '../jwt/verification-key.js';
import { documentText, KeySourceError } from './key-source.js';

/** The path of the key set on every API server (KEP-1393), even if its metadata names another one. */
export const API_SERVER_JWKS_PATH = '/openid/v1/jwks';

/** Far more than any cluster publishes. A longer document is a failure, and is not read to its end. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

// A cluster publishes one to three keys. Importing one P-521 key takes 1 to 2 ms.
const MAX_ENTRIES = 1_000;
const MAX_KEYS = 100;

/**
 * Reads a key set repeatedly. If the document has not changed, returns the last result, a failure included, without
 * importing the keys again.
 * @internal
 */
export class JwksReader {
  private last?: { readonly text: string; readonly keys: Promise<readonly VerificationKey[]> };

  /**
   * The usable keys of a key set (RFC 7517 §5). Ignores entries of unknown types and invalid entries, as §5 asks. A set
   * without a usable key is a failure, because using it would refuse every token. A set with too many entries or keys
   * is a failure, because any selection could be wrong. After a failure the previous keys stay in use.
   * @throws {KeySourceError} the document is not a key set with a valid number of usable keys
   */
  async read(response: HttpsResponse): Promise<readonly VerificationKey[]> {
    const text = documentText('key set', response);
    if (this.last?.text !== text) this.last = { text, keys: importKeys(text) };
    return this.last.keys;
  }
}

/** Yields to the event loop after each entry, because importing many keys would block it. */
async function importKeys(text: string): Promise<readonly VerificationKey[]> {
  const entries = readEntries(text);
  if (entries.length > MAX_ENTRIES) {
    throw new KeySourceError(`key set: expected at most ${MAX_ENTRIES} entries, got ${entries.length}`);
  }
  const keys: VerificationKey[] = [];
  for (const [index, entry] of entries.entries()) {
    if (index > 0) await nextTurn();
    const key = usableKeyOf(entry);
    if (key && keys.push(key) > MAX_KEYS) {
      throw new KeySourceError(`key set: expected at most ${MAX_KEYS} usable keys`);
    }
  }
  if (keys.length > 0) return keys;
  throw new KeySourceError(`key set: expected a usable key, got none (entries: ${entries.length})`);
}

function usableKeyOf(entry: unknown): VerificationKey | undefined {
  try {
    return verificationKeyOfJwk(entry);
  } catch {
    return undefined;
  }
}

function readEntries(text: string): readonly unknown[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new KeySourceError('key set: expected JSON');
  }
  const entries = isJsonObject(document) ? member(document, 'keys') : undefined;
  if (!Array.isArray(entries)) throw new KeySourceError('key set: expected a list of keys');
  return entries;
}
