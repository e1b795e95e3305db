import { isJsonObject, type JsonObject } from './jws.js';

// The API server decodes claims into Go structs (jwt.Claims of go-jose, privateClaims of pkg/serviceaccount): a member
// of a foreign type spoils the whole token, whether or not anybody would have looked at it.

/** `sub`, `jti` and `aud`, which every kind of token may have. @throws {Error} the API server's words */
export function assertCommonClaims({ sub, jti, aud }: JsonObject): void {
  assertText(sub);
  assertText(jti);
  const isList = Array.isArray(aud) && aud.every((audience) => typeof audience === 'string');
  if (aud !== undefined && typeof aud !== 'string' && !isList) {
    throw new Error('go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience');
  }
}

/** The `kubernetes.io` claim of a bound token. @throws {Error} the API server's words */
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

/** A NumericDate (RFC 7519 §2), if it is there. @throws {Error} the API server's words */
export function assertTime(value: unknown): void {
  // JSON.parse makes Infinity of 1e400, which Go takes for no number.
  if (isAbsent(value) || (typeof value === 'number' && Number.isFinite(value))) return;
  throw new Error('go-jose/go-jose/jwt: expected number value to unmarshal NumericDate');
}

/** @throws {Error} the API server's words */
export function assertText(value: unknown): void {
  if (!isAbsent(value) && typeof value !== 'string') throw mismatch(value, 'string');
}

/** To Go `null` is what was left out, except where a type decodes itself as that of `aud` does. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** @returns the words of Go's JSON decoder */
export function mismatch(value: unknown, type: string): Error {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new Error(`json: cannot unmarshal ${found} into Go value of type ${type}`);
}
