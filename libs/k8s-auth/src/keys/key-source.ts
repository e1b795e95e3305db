import { type HttpsResponse } from '../http/https-client.js';
import { loggable } from '../util/log.js';
import { type Deadline } from '../util/timers.js';
import { type VerificationKey } from '../jwt/verification-key.js';

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
export function documentText(what: string, { status, headers, body }: HttpsResponse): string {
  if (status !== 200) {
    throw new KeySourceError(`${what}: expected status 200, got ${status}`, false, headers['retry-after']);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new KeySourceError(`${what}: expected no content encoding, got ${loggable(encoding)}`);
  }
  return body.replace(/^\uFEFF/, '');
}
