import { InvalidTokenError } from '../../errors.js';
import { type JsonObject, member, type UnverifiedJws } from '../../jwt/compact-jws.js';
import { expired, matchAudiences } from '../../jwt/jwt-claims.js';

/** What a token says of itself. To be believed once the API server has accepted the token, not before. */
export interface UnverifiedToken {
  readonly issuer?: string;
  readonly issuedAtMs?: number;
  readonly expiresAtMs?: number;
}

// ECMA-262 §21.4.1.1: the last instant that a Date can hold.
const LAST_DATE_MS = 8.64e15;

/**
 * The cheap look before the expensive one: what the API server would surely refuse does not reach it. That is an `exp`
 * that has passed by our own clock, and an `aud` without any audience asked for. A token without `aud` or `exp`
 * (Secret-based) goes through: the API server knows what it is made for.
 * @throws {InvalidTokenError} MALFORMED, EXPIRED, AUDIENCE
 * @internal
 */
export function checkBeforeReview(
  { unverifiedClaims: claims }: UnverifiedJws,
  audiences: readonly string[],
  nowMs: number,
): UnverifiedToken {
  const expiresAtMs = timeMs(claims, 'exp');
  if (Object.hasOwn(claims, 'exp') && expiresAtMs === undefined) {
    throw new InvalidTokenError('MALFORMED', '"exp" claim: expected a number of seconds that is a date');
  }
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) throw expired(expiresAtMs, nowMs);
  if (Object.hasOwn(claims, 'aud')) matchAudiences(claims, audiences);
  const issuer = member(claims, 'iss');
  const issuedAtMs = timeMs(claims, 'iat');
  return {
    ...(typeof issuer === 'string' && { issuer }),
    ...(issuedAtMs !== undefined && { issuedAtMs }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  };
}

/** A NumericDate (RFC 7519 §2) in milliseconds, if a Date can hold it. */
function timeMs(claims: JsonObject, name: 'exp' | 'iat'): number | undefined {
  const seconds = member(claims, name);
  return typeof seconds === 'number' && Math.abs(seconds * 1000) <= LAST_DATE_MS ? seconds * 1000 : undefined;
}
