import { type HttpsResponse } from '../http/https-client.js';
import { loggable } from '../util/log.js';
import { type Deadline, nextTurn } from '../util/timers.js';
import { type VerificationKey, verificationKeyOfJwk } from '../jwt/verification-key.js';
import { isJsonObject, member } from '../jwt/compact-jws.js';

/** The deadline of one attempt to get keys. */
export type Attempt = Deadline;

/** The result of a fetch, with at least one key. */
export interface FetchedKeys {
  /** The `iss` values of the tokens that these keys verify. */
  readonly issuers: readonly string[];
  readonly keys: readonly VerificationKey[];
}

/**
 * A place to fetch keys from. It makes one attempt at a time; RefreshedKeys schedules the attempts and keeps the keys.
 */
export interface KeySource {
  /** @throws {Error} the keys cannot be fetched; the error never contains token text */
  fetch(attempt: Attempt): Promise<FetchedKeys>;
}

/** Reads one document and returns the unchecked answer. */
export type ReadDocument = (url: string, attempt: Attempt) => Promise<HttpsResponse>;

// The API server answers 406 to a key set request that accepts only application/json.
export const DOCUMENT_ACCEPT = 'application/jwk-set+json, application/json, */*;q=0.1';

/** The keys cannot be read from this source. @internal */
export class KeySourceError extends Error {
  override readonly name = 'KeySourceError';

  constructor(
    message: string,
    /** Whether the API server authenticated us, but we lack the right to read. Only an administrator can grant it. */
    readonly isRightMissing = false,
    /** The `Retry-After` header of the answer. */
    readonly retryAfter?: string,
  ) {
    super(message);
  }
}

/** @internal */
export function isRightMissing(error: unknown): boolean {
  return error instanceof KeySourceError && error.isRightMissing;
}

/**
 * The text of a document. The media type is not checked, because buckets serve both documents as
 * `binary/octet-stream`. An error page of a proxy fails later, because it is not JSON.
 * @throws {KeySourceError} the status is not 200, or the content has an encoding that was not requested
 * @internal
 */
export function documentText(what: string, response: HttpsResponse): string {
  const { status, body } = response;
  if (status !== 200) {
    throw new KeySourceError(
      `${what}: expected status 200, got ${status}`,
      false,
      response.header('retry-after'),
    );
  }
  const encoding = response.header('content-encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new KeySourceError(`${what}: expected no content encoding, got ${loggable(encoding)}`);
  }
  return body.replace(/^\uFEFF/, '');
}

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
    const key = await usableKeyOf(entry);
    if (key && keys.push(key) > MAX_KEYS) {
      throw new KeySourceError(`key set: expected at most ${MAX_KEYS} usable keys`);
    }
  }
  if (keys.length > 0) return keys;
  throw new KeySourceError(`key set: expected a usable key, got none (entries: ${entries.length})`);
}

async function usableKeyOf(entry: unknown): Promise<VerificationKey | undefined> {
  try {
    return await verificationKeyOfJwk(entry);
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
