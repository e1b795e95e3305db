import { InvalidTokenError } from '../errors.js';
import { loggable } from '../util/log.js';
import { isJsonObject, type JsonObject, member } from './compact-jws.js';

/**
 * Claims of a token that nobody has verified. Good for three things: refusing early what would be refused anyway,
 * telling when our own token file has to be read again, and naming a refused caller in the log. Never for trust.
 */
export interface UnverifiedClaims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly iat?: unknown;
  readonly jti?: unknown;
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

/** @returns the payload of a compact JWS (RFC 7515 §7.1), or `undefined` for what does not have that shape. @internal */
export function readUnverifiedClaims(token: string): UnverifiedClaims | undefined {
  const payload = COMPACT_JWS.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    // Own properties only: "__proto__" in hostile JSON stays an ordinary member of this copy.
    return isJsonObject(claims)
      ? Object.assign(Object.create(null) as object, ownKnownClaims(claims))
      : undefined;
  } catch {
    return undefined;
  }
}

const KNOWN = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'] as const;

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

/** What API servers accept by default (kubeadm, and the older form without a cluster domain). */
export const USUAL_API_SERVER_AUDIENCES: readonly string[] = [
  'https://kubernetes.default.svc',
  'https://kubernetes.default.svc.cluster.local',
];

/** What the token's issuer accepts itself, as far as the token tells: its `iss` and its audiences. @internal */
export function audiencesNamedBy(claims: UnverifiedClaims): readonly string[] {
  const { iss } = claims;
  return [...new Set([...(typeof iss === 'string' ? [iss] : []), ...(audiencesOf(claims) ?? [])])];
}

/** A NumericDate (RFC 7519 §2) in milliseconds; `undefined` when it is no finite number. @internal */
export function numericDateMs(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : undefined;
}

/** When to look at a token, and how far clocks may differ. */
export interface Instant {
  readonly nowMs: number;
  readonly clockToleranceMs: number;
}

/** The times of a token in milliseconds since the Unix epoch. */
export interface TokenTimes {
  readonly expiresAtMs?: number;
  readonly issuedAtMs?: number;
}

// No token lives longer: TokenRequest's spec.expirationSeconds is at most 2^32. Catches an `exp` in milliseconds.
const LONGEST_LIFE_MS = 2 ** 32 * 1000;

/**
 * `iss` byte for byte, among those that are configured (RFC 7519 §4.1.1, RFC 8725 §3.8).
 * @throws {InvalidTokenError} ISSUER
 * @internal
 */
export function checkIssuer(claims: JsonObject, issuers: readonly string[]): string {
  const iss = member(claims, 'iss');
  if (typeof iss === 'string' && issuers.includes(iss)) return iss;
  throw new InvalidTokenError('ISSUER', `"iss" claim: expected ${issuers.join(' or ')}, got ${shown(iss)}`);
}

/**
 * `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6), each with the same tolerance.
 * @throws {InvalidTokenError} EXPIRED, NOT_YET_VALID, or MALFORMED for what is no time
 * @internal
 */
export function checkTimes(claims: JsonObject, { nowMs, clockToleranceMs }: Instant): TokenTimes {
  const expiresAtMs = timeOf(claims, 'exp');
  const notBeforeMs = timeOf(claims, 'nbf');
  const issuedAtMs = timeOf(claims, 'iat');
  if (expiresAtMs !== undefined) {
    if (expiresAtMs > nowMs + LONGEST_LIFE_MS + clockToleranceMs) {
      throw malformed('"exp" claim: expected at most 2^32 seconds ahead');
    }
    if (nowMs >= expiresAtMs + clockToleranceMs) throw expired(expiresAtMs, nowMs);
  }
  for (const [name, timeMs] of Object.entries({ nbf: notBeforeMs, iat: issuedAtMs })) {
    if (timeMs !== undefined && timeMs > nowMs + clockToleranceMs) {
      throw new InvalidTokenError(
        'NOT_YET_VALID',
        `"${name}" claim: expected to be past, ${compared(timeMs, nowMs)}`,
      );
    }
  }
  return { expiresAtMs, issuedAtMs };
}

/** With both times, because what is wrong may be our clock. @internal */
export function expired(expiresAtMs: number, nowMs: number): InvalidTokenError {
  return new InvalidTokenError(
    'EXPIRED',
    `"exp" claim: expected to be ahead, ${compared(expiresAtMs, nowMs)}`,
  );
}

/**
 * Those of the audiences asked for that the token is made for, in the order asked (RFC 7519 §4.1.3, RFC 8725 §3.9).
 * @throws {InvalidTokenError} AUDIENCE when there is none, MALFORMED for what is neither a string nor a list of them
 * @internal
 */
export function matchAudiences(claims: JsonObject, asked: readonly string[]): readonly string[] {
  const aud = member(claims, 'aud') ?? [];
  const offered = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  if (!offered.every((entry) => typeof entry === 'string')) {
    throw malformed('"aud" claim: expected a string or a list of strings');
  }
  const matched = asked.filter((audience) => offered.includes(audience));
  if (matched.length > 0) return matched;
  const got = loggable(offered.join(', '), MAX_SHOWN_AUD_LENGTH) || 'none';
  const hint = isForApiServer(claims, offered) ? `; ${API_TOKEN_HINT}` : '';
  throw new InvalidTokenError('AUDIENCE', `"aud" claim: expected ${asked.join(' or ')}, got ${got}${hint}`);
}

// Behind it a hint has to fit into a log line.
const MAX_SHOWN_AUD_LENGTH = 120;

const API_TOKEN_HINT =
  "this is the pod's token for the Kubernetes API; mount a projected token for this service";

/** What a pod finds in its usual mount: by default the API server's audience is the issuer. */
function isForApiServer(claims: JsonObject, audiences: readonly unknown[]): boolean {
  return (
    audiences.includes(member(claims, 'iss')) ||
    USUAL_API_SERVER_AUDIENCES.some((audience) => audiences.includes(audience))
  );
}

function timeOf(claims: JsonObject, name: 'exp' | 'nbf' | 'iat'): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const seconds = claims[name];
  // JSON.parse makes Infinity of 1e400.
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) {
    throw malformed(`"${name}" claim: expected a finite number of seconds`);
  }
  return seconds * 1000;
}

function compared(timeMs: number, nowMs: number): string {
  return `got ${iso(timeMs)}, our time is ${iso(nowMs)}`;
}

/** What no Date can hold stays a number. */
function iso(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.valueOf()) ? `${timeMs / 1000} s` : date.toISOString();
}

function shown(value: unknown): string {
  return typeof value === 'string' ? loggable(value) : 'none';
}

function malformed(message: string): InvalidTokenError {
  return new InvalidTokenError('MALFORMED', message);
}
