import { InvalidTokenError } from '../errors.js';
import { loggable } from '../util/log.js';
import { expired, malformed, notYetValid } from './claim-errors.js';
import { isJsonObject, type JsonObject, member } from './compact-jws.js';

/**
 * Claims of a token that has not been verified. They must never be trusted. They have three uses: to reject early a token
 * that would be rejected anyway, to decide when the service's own token file is read again, and to name a rejected
 * caller in the log.
 */
export interface UnverifiedClaims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly iat?: unknown;
  readonly jti?: unknown;
  readonly 'kubernetes.io'?: unknown;
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

/** @returns the payload of a compact JWS (RFC 7515 §7.1), or `undefined` for text of another form @internal */
export function readUnverifiedClaims(token: string): UnverifiedClaims | undefined {
  const payload = COMPACT_JWS.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    // A copy without a prototype, with own properties only, so that "__proto__" in hostile JSON has no effect.
    return isJsonObject(claims)
      ? Object.assign(Object.create(null) as object, ownKnownClaims(claims))
      : undefined;
  } catch {
    return undefined;
  }
}

const KNOWN = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'kubernetes.io'] as const;

function ownKnownClaims(claims: object): UnverifiedClaims {
  return Object.fromEntries(
    KNOWN.filter((name) => Object.hasOwn(claims, name)).map((name) => [
      name,
      (claims as UnverifiedClaims)[name],
    ]),
  );
}

/** `aud` as a list (RFC 7519 §4.1.3: a string or a list of strings); `undefined` when absent or neither. @internal */
export function audiencesOf(claims: UnverifiedClaims): readonly string[] | undefined {
  const { aud } = claims;
  if (typeof aud === 'string') return [aud];
  return Array.isArray(aud) && aud.every((entry) => typeof entry === 'string') ? aud : undefined;
}

/** The default audiences of API servers (kubeadm, and the older form without a cluster domain). */
export const USUAL_API_SERVER_AUDIENCES: readonly string[] = [
  'https://kubernetes.default.svc',
  'https://kubernetes.default.svc.cluster.local',
];

/** The audiences that the API server behind this token accepts, as far as the token shows: its `iss` and its `aud`. @internal */
export function audiencesNamedBy(claims: UnverifiedClaims): readonly string[] {
  const { iss } = claims;
  return [...new Set([...(typeof iss === 'string' ? [iss] : []), ...(audiencesOf(claims) ?? [])])];
}

/**
 * A NumericDate (RFC 7519 §2) in milliseconds; `undefined` if it is not a finite number. JSON.parse returns Infinity for
 * 1e400. @internal
 */
export function numericDateMs(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : undefined;
}

/** The time at which a token is checked, and the clock tolerance. */
export interface Instant {
  readonly nowMs: number;
  readonly clockToleranceMs: number;
}

/** The times of a token in milliseconds since the Unix epoch. */
export interface TokenTimes {
  readonly expiresAtMs?: number;
  readonly issuedAtMs?: number;
}

// spec.expirationSeconds of a TokenRequest is at most 2^32. The limit also catches an `exp` in milliseconds.
const MAX_LIFETIME_MS = 2 ** 32 * 1000;

/**
 * Checks that `iss` equals one of the given issuers byte for byte (RFC 7519 §4.1.1, RFC 8725 §3.8).
 * @throws {InvalidTokenError} ISSUER
 * @internal
 */
export function checkIssuer(claims: JsonObject, issuers: readonly string[]): string {
  const iss = member(claims, 'iss');
  // The configured text rather than the equal text of the token: principals are kept in memory, and all share it.
  const issuer = issuers.find((one) => one === iss);
  if (issuer !== undefined) return issuer;
  throw new InvalidTokenError(
    'ISSUER',
    `"iss" claim: expected ${issuers.join(' or ')}, got ${formatIssuer(iss)}`,
  );
}

/**
 * Checks `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6), each with the same tolerance. A missing claim is accepted.
 * @throws {InvalidTokenError} EXPIRED, NOT_YET_VALID, or MALFORMED if a claim is not a time
 * @internal
 */
export function checkTimes(claims: JsonObject, { nowMs, clockToleranceMs }: Instant): TokenTimes {
  const expiresAtMs = timeOf(claims, 'exp');
  const notBeforeMs = timeOf(claims, 'nbf');
  const issuedAtMs = timeOf(claims, 'iat');
  if (expiresAtMs !== undefined) {
    if (expiresAtMs > nowMs + MAX_LIFETIME_MS + clockToleranceMs) {
      throw malformed('"exp" claim: expected at most 2^32 seconds in the future');
    }
    if (nowMs >= expiresAtMs + clockToleranceMs) throw expired(expiresAtMs, nowMs);
  }
  const latestMs = nowMs + clockToleranceMs;
  if (notBeforeMs !== undefined && notBeforeMs > latestMs) throw notYetValid('nbf', notBeforeMs, nowMs);
  if (issuedAtMs !== undefined && issuedAtMs > latestMs) throw notYetValid('iat', issuedAtMs, nowMs);
  return { expiresAtMs, issuedAtMs };
}

/**
 * The required audiences that the token is issued for, in the required order (RFC 7519 §4.1.3, RFC 8725 §3.9).
 * @throws {InvalidTokenError} AUDIENCE if there is none, MALFORMED if `aud` is neither a string nor a list of strings
 * @internal
 */
export function matchAudiences(claims: JsonObject, required: readonly string[]): readonly string[] {
  const aud = member(claims, 'aud') ?? [];
  const issuedFor = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  if (!issuedFor.every((entry) => typeof entry === 'string')) {
    throw malformed('"aud" claim: expected a string or a list of strings');
  }
  const matched = required.filter((audience) => issuedFor.includes(audience));
  if (matched.length > 0) return matched.length === required.length ? required : matched;
  const got = loggable(issuedFor.join(', '), MAX_LOGGED_AUD_LENGTH) || 'none';
  const hint = isForApiServer(claims, issuedFor) ? `; ${API_TOKEN_HINT}` : '';
  throw new InvalidTokenError(
    'AUDIENCE',
    `"aud" claim: expected ${required.join(' or ')}, got ${got}${hint}`,
  );
}

// Leaves room for the hint, which follows in the same log line.
const MAX_LOGGED_AUD_LENGTH = 120;

const API_TOKEN_HINT =
  "this is the pod's token for the Kubernetes API; mount a projected token for this service";

/** Whether this looks like the default token of a pod. By default the audience of the API server is the issuer. */
function isForApiServer(claims: JsonObject, audiences: readonly unknown[]): boolean {
  return (
    audiences.includes(member(claims, 'iss')) ||
    USUAL_API_SERVER_AUDIENCES.some((audience) => audiences.includes(audience))
  );
}

function timeOf(claims: JsonObject, name: 'exp' | 'nbf' | 'iat'): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const timeMs = numericDateMs(claims[name]);
  if (timeMs === undefined || timeMs < 0) {
    throw malformed(`"${name}" claim: expected a finite number of seconds`);
  }
  return timeMs;
}

function formatIssuer(value: unknown): string {
  return typeof value === 'string' ? loggable(value) : 'none';
}
