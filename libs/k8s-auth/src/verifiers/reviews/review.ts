import { type TokenReviewStatus } from '../../api-server/token-review.client.js';
import { InvalidTokenError } from '../../errors.js';
import { type PrincipalFacts } from '../../identity/principal.js';
import { parseUsername } from '../../identity/names.js';
import { loggable } from '../../util/log.js';
import { isJsonObject, type JsonObject, member, type UnverifiedJws } from '../../jwt/compact-jws.js';
import { expired } from '../../jwt/claim-errors.js';
import { matchAudiences, numericDateMs } from '../../jwt/jwt-claims.js';

const EXTRA = 'authentication.kubernetes.io/';

/**
 * The facts about the caller in the review of an accepted token. Any unexpected content rejects the token.
 * @param token claims of the reviewed token; they can be trusted once the review accepts it
 * @throws {InvalidTokenError} REJECTED, or AUDIENCE
 * @internal
 */
export function readReview(
  status: TokenReviewStatus,
  audiences: readonly string[],
  token: UnverifiedToken,
  verifiedBy: string,
): PrincipalFacts {
  if (status.authenticated !== true) {
    throw rejected(`"status.authenticated": expected true${quoteError(status.error)}`);
  }
  // Some authenticators accept a token and return an error in the same answer. SPIRE rejects this too.
  if (status.error !== undefined && status.error !== null && status.error !== '') {
    throw rejected(`"status.error": expected none${quoteError(status.error)}`);
  }
  const matched = matchReviewed(status.audiences, audiences);
  const user = isJsonObject(status.user) ? status.user : {};
  const username = member(user, 'username');
  const account = typeof username === 'string' ? parseUsername(username) : undefined;
  if (!account) throw rejected('"status.user.username": expected a ServiceAccount');
  if (token.issuer === undefined) throw rejected('"iss" claim: expected a string');
  const pod = podOf(user);
  const node = nodeOf(user);
  const credentialId = extraOf(user, 'credential-id');
  const { issuer, issuedAtMs, expiresAtMs } = token;
  const facts: { -readonly [Name in keyof PrincipalFacts]: PrincipalFacts[Name] } = {
    namespace: account.namespace,
    serviceAccount: account.name,
    serviceAccountUid: uidOf(user),
    groups: groupsOf(user),
    audiences: matched,
    issuer,
    verifiedBy,
  };
  // Assigned, not spread: V8 would make a hidden class for each principal.
  if (pod) facts.pod = pod;
  if (node) facts.node = node;
  if (credentialId !== undefined) facts.credentialId = credentialId;
  if (issuedAtMs !== undefined) facts.issuedAtMs = issuedAtMs;
  if (expiresAtMs !== undefined) facts.expiresAtMs = expiresAtMs;
  return facts;
}

/**
 * `status.audiences` must share an element with `spec.audiences`. An authenticator that does not support audiences omits
 * it; then the token was not checked for our audiences (authentication.k8s.io/v1, TokenReviewStatus).
 */
function matchReviewed(reviewed: unknown, required: readonly string[]): readonly string[] {
  const matched = Array.isArray(reviewed) ? required.filter((audience) => reviewed.includes(audience)) : [];
  // The list of the route itself, which all principals can share.
  if (matched.length > 0) return matched.length === required.length ? required : matched;
  throw new InvalidTokenError('AUDIENCE', `"status.audiences": expected ${required.join(' or ')}`);
}

function uidOf(user: JsonObject): string {
  const uid = member(user, 'uid');
  if (typeof uid === 'string' && uid !== '') return uid;
  throw rejected('"status.user.uid": expected a UID');
}

/** The groups of the answer. An omitted list is an empty list: default groups are not added. */
function groupsOf(user: JsonObject): readonly string[] {
  const groups: unknown = member(user, 'groups') ?? [];
  if (Array.isArray(groups) && groups.every((group) => typeof group === 'string')) return groups;
  throw rejected('"status.user.groups": expected a list of names');
}

function podOf(user: JsonObject): PrincipalFacts['pod'] {
  const name = extraOf(user, 'pod-name');
  const uid = extraOf(user, 'pod-uid');
  return name !== undefined && uid !== undefined ? { name, uid } : undefined;
}

function nodeOf(user: JsonObject): PrincipalFacts['node'] {
  const name = extraOf(user, 'node-name');
  const uid = extraOf(user, 'node-uid');
  return name === undefined ? undefined : { name, ...(uid !== undefined && { uid }) };
}

/** A value of `user.extra`. Its values are lists; the lists that are read here have one element, and others are ignored as ambiguous. */
function extraOf(user: JsonObject, name: string): string | undefined {
  const extra = member(user, 'extra');
  const values = isJsonObject(extra) ? member(extra, EXTRA + name) : undefined;
  if (!Array.isArray(values) || values.length !== 1) return undefined;
  const value: unknown = values[0];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The error text of the API server. It is free text, so it is used for the log only. */
function quoteError(error: unknown): string {
  return typeof error === 'string' && error !== '' ? `, API server says: ${loggable(error)}` : '';
}

function rejected(message: string): InvalidTokenError {
  return new InvalidTokenError('REJECTED', message);
}

/** Claims of a token that is not verified yet. They can be trusted once the API server has accepted the token. */
export interface UnverifiedToken {
  readonly issuer?: string;
  readonly issuedAtMs?: number;
  readonly expiresAtMs?: number;
}

// ECMA-262 §21.4.1.1: the maximum time of a Date.
const MAX_DATE_MS = 8.64e15;

/**
 * A cheap local check before the review. It rejects tokens that the API server would certainly reject: `exp` has passed
 * by our own clock, or `aud` contains no required audience. A token without `aud` or `exp` (a legacy token) passes: the
 * API server decides about it.
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
    throw new InvalidTokenError(
      'MALFORMED',
      '"exp" claim: expected a number of seconds that a date can hold',
    );
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
  const ms = numericDateMs(member(claims, name));
  return ms !== undefined && Math.abs(ms) <= MAX_DATE_MS ? ms : undefined;
}
