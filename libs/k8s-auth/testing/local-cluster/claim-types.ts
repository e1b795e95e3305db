import { isJsonObject, type JsonObject } from './jws.js';

// The API server decodes claims into Go structs (jwt.Claims of go-jose, privateClaims of pkg/serviceaccount): a member
// of another type makes the whole token invalid, even if the member is not used.

/**
 * The claims `sub`, `jti` and `aud`, which every kind of token may have. @throws {Error} with the API server's
 * message
 */
export function assertCommonClaims({ sub, jti, aud }: JsonObject): void {
  assertText(sub);
  assertText(jti);
  const isList = Array.isArray(aud) && aud.every((audience) => typeof audience === 'string');
  if (aud !== undefined && typeof aud !== 'string' && !isList) {
    throw new Error('go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience');
  }
}

/** The `kubernetes.io` claim of a bound token. @throws {Error} with the API server's message */
export function assertKubernetesClaim(claim: unknown): void {
  if (isAbsent(claim)) return;
  if (!isJsonObject(claim)) throw mismatch(claim, 'serviceaccount.kubernetes');
  assertText(claim.namespace);
  assertTime(claim.warnafter);
  for (const reference of [claim.pod, claim.secret, claim.node, claim.serviceaccount]) {
    if (isAbsent(reference)) continue;
    if (!isJsonObject(reference)) throw mismatch(reference, 'serviceaccount.ref');
    assertText(reference.name);
    assertText(reference.uid);
  }
}

/** A NumericDate (RFC 7519 §2), if it is there. @throws {Error} with the API server's message */
export function assertTime(value: unknown): void {
  // JSON.parse converts 1e400 to Infinity; Go does not accept it as a number.
  if (isAbsent(value) || (typeof value === 'number' && Number.isFinite(value))) return;
  throw new Error('go-jose/go-jose/jwt: expected number value to unmarshal NumericDate');
}

/** @throws {Error} with the API server's message */
export function assertText(value: unknown): void {
  if (!isAbsent(value) && typeof value !== 'string') throw mismatch(value, 'string');
}

/** Go treats `null` like a missing member, except for types with their own decoder, such as that of `aud`. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** @returns the message of Go's JSON decoder */
export function mismatch(value: unknown, type: string): Error {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new Error(`json: cannot unmarshal ${found} into Go value of type ${type}`);
}
