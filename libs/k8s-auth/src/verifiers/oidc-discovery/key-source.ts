import { type HttpsResponse } from '../../shared/https-client.js';
import { loggable } from '../../shared/log.js';
import { type VerificationKey } from '../jwt/verification-key.js';

/** The limits of one attempt to get keys. */
export interface Attempt {
  /** Fires when the attempt has had its time. */
  readonly signal: AbortSignal;
  /** What is left of it; 0 when there is none. */
  remainingMs(): number;
}

/** What an attempt brings home: never without a key. */
export interface IssuerKeys {
  /** The `iss` values that these keys speak for. */
  readonly issuers: readonly string[];
  readonly keys: readonly VerificationKey[];
}

/** Where keys come from. It remembers nothing: what to do between attempts, and after bad ones, is not its business. */
export interface KeySource {
  /** @throws {Error} there is trouble; never with token text */
  fetch(attempt: Attempt): Promise<IssuerKeys>;
}

/** Reads one document; the answer is not looked at. */
export type ReadDocument = (url: string, accept: string, attempt: Attempt) => Promise<HttpsResponse>;

/** The keys cannot be had like this. @internal */
export class KeySourceTrouble extends Error {
  override readonly name = 'KeySourceTrouble';

  constructor(
    message: string,
    /** The API server knows us and will not let us read: only its administrator can heal that. */
    readonly isRightMissing = false,
  ) {
    super(message);
  }
}

/** @internal */
export function isRightMissing(trouble: unknown): boolean {
  return trouble instanceof KeySourceTrouble && trouble.isRightMissing;
}

/**
 * A document has to come with status 200 and as one of the types asked for: an error page of something in between is
 * no key set.
 * @throws {KeySourceTrouble}
 * @internal
 */
export function checkDocument(what: string, response: HttpsResponse, types: readonly string[]): void {
  if (response.status !== 200)
    throw new KeySourceTrouble(`${what}: expected status 200, got ${response.status}`);
  const type = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!types.includes(type)) {
    throw new KeySourceTrouble(
      `${what}: expected ${types.join(' or ')}, got ${loggable(type) || 'no content type'}`,
    );
  }
}

/** As {@link checkIssuer} does with a token's: byte for byte (OpenID Connect Discovery 1.0 §4.3). @internal */
export function checkMetadataIssuer(issuer: string, expected: string): void {
  if (issuer === expected) return;
  throw new KeySourceTrouble(
    `issuer metadata: expected issuer ${loggable(expected)}, got ${loggable(issuer)}`,
  );
}
