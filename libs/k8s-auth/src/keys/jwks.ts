import { type HttpsResponse } from '../http/https-client.js';
import { nextTurn } from '../util/timers.js';
import { isJsonObject, member } from '../jwt/compact-jws.js';
import { type VerificationKey, verificationKeyOfJwk } from '../jwt/verification-key.js';
import { documentText, KeySourceError } from './key-source.js';

/** Where every API server has its keys (KEP-1393), whatever its metadata says. */
export const API_SERVER_JWKS_PATH = '/openid/v1/jwks';

/** Far more than any cluster publishes; what is longer is not read to its end. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

// A cluster publishes one to three keys. Importing one of P-521 takes a millisecond or two.
const MAX_ENTRIES = 1_000;
const MAX_KEYS = 100;

/**
 * Reads one key set again and again; a document that has not changed is not imported again, whatever came of it.
 * @internal
 */
export class JwksReader {
  private last?: { readonly text: string; readonly keys: Promise<readonly VerificationKey[]> };

  /**
   * The usable keys of a key set (RFC 7517 §5). Entries of unknown kinds, and broken ones, are passed over as §5 asks.
   * A set without any usable key is a failure, because taking it would refuse everybody; so is one with too many entries
   * or keys, because no choice among them is right. After a failure the keys that are held go on being used.
   * @throws {KeySourceError}
   */
  async read(response: HttpsResponse): Promise<readonly VerificationKey[]> {
    const text = documentText('key set', response);
    if (this.last?.text !== text) this.last = { text, keys: importKeys(text) };
    return this.last.keys;
  }
}

/** The event loop turns after each entry, because importing many would keep it from everything else. */
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
  throw new KeySourceError(`key set: expected a usable key, got none in ${entries.length}`);
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
