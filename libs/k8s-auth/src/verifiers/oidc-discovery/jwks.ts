import { type HttpsResponse } from '../../shared/https-client.js';
import { isJsonObject, member } from '../jwt/strict-json.js';
import { type VerificationKey, verificationKeyOfJwk } from '../jwt/verification-key.js';
import { documentText, KeySourceTrouble } from './key-source.js';

/** Where every API server has its keys (KEP-1393), whatever its metadata says. */
export const API_SERVER_JWKS_PATH = '/openid/v1/jwks';

/** Far more than any cluster publishes; what is longer is not read to its end. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

/**
 * The usable keys of a key set (RFC 7517 §5). Entries of unknown kinds, and broken ones, are passed over as §5 asks;
 * a set without any usable key is no answer, because taking it would refuse everybody.
 * @throws {KeySourceTrouble}
 * @internal
 */
export function readJwks(response: HttpsResponse): readonly VerificationKey[] {
  const entries = readEntries(documentText('key set', response));
  const keys = entries.flatMap((entry) => {
    try {
      return [verificationKeyOfJwk(entry)];
    } catch {
      return [];
    }
  });
  if (keys.length === 0)
    throw new KeySourceTrouble(`key set: expected a usable key, got none in ${entries.length}`);
  return keys;
}

function readEntries(body: string): readonly unknown[] {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    throw new KeySourceTrouble('key set: expected JSON');
  }
  const entries = isJsonObject(document) ? member(document, 'keys') : undefined;
  if (!Array.isArray(entries)) throw new KeySourceTrouble('key set: expected a list of keys');
  return entries;
}
