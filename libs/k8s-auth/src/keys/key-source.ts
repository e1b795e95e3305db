import { type HttpsResponse } from '../http/https-client.js';
import { loggable } from '../util/log.js';
import { type Deadline } from '../util/timers.js';
import { type VerificationKey } from '../jwt/verification-key.js';

/** The time of one attempt to get keys. */
export type Attempt = Deadline;

/** What a fetch has brought: never without a key. */
export interface FetchedKeys {
  /** The `iss` values that these keys speak for. */
  readonly issuers: readonly string[];
  readonly keys: readonly VerificationKey[];
}

/** Where keys come from. It remembers nothing: what to do between attempts, and after bad ones, is not its business. */
export interface KeySource {
  /** @throws {Error} there is trouble; never with token text */
  fetch(attempt: Attempt): Promise<FetchedKeys>;
}

/** Reads one document; the answer is not looked at. */
export type ReadDocument = (url: string, attempt: Attempt) => Promise<HttpsResponse>;

// The API server answers 406 to a request for its key set that accepts application/json alone.
export const DOCUMENT_ACCEPT = 'application/jwk-set+json, application/json, */*;q=0.1';

/** The keys cannot be had like this. @internal */
export class KeySourceError extends Error {
  override readonly name = 'KeySourceError';

  constructor(
    message: string,
    /** The API server knows us and will not let us read: only its administrator can heal that. */
    readonly isRightMissing = false,
    /** The `Retry-After` header that came with the answer. */
    readonly retryAfter?: string,
  ) {
    super(message);
  }
}

/** @internal */
export function isRightMissing(trouble: unknown): boolean {
  return trouble instanceof KeySourceError && trouble.isRightMissing;
}

/**
 * The text of a document. It counts by its content, not by its media type: buckets serve both documents as
 * `binary/octet-stream`, and an error page of something in between is not JSON.
 * @throws {KeySourceError} another status than 200, or an encoding that nobody asked for
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
