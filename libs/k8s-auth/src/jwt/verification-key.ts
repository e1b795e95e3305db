import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmOf, type KeyAlgorithm, UnfitKeyError } from './key-rules.js';
import { isJsonObject, type JsonObject, member } from './strict-json.js';

/** A public key that passed the rules, with the algorithm that belongs to it. */
export interface VerificationKey {
  readonly keyId: string;
  readonly algorithm: KeyAlgorithm;
  readonly key: KeyObject;
}

/**
 * The key ID as Kubernetes computes it for a public key: base64url of the SHA-256 of its DER form
 * (pkg/serviceaccount keyIDFromPublicKey).
 * @throws {UnfitKeyError} see {@link algorithmOf}
 * @internal
 */
export function verificationKeyOf(key: KeyObject): VerificationKey {
  const algorithm = algorithmOf(key);
  const der = key.export({ type: 'spki', format: 'der' });
  return { keyId: createHash('sha256').update(der).digest('base64url'), algorithm, key };
}

/**
 * A member of a key set (RFC 7517 §4). One without `kid` gets the ID that Kubernetes would give it.
 * @throws {UnfitKeyError} not for signatures, not for its own `alg`, private, symmetric, weak, or no key at all
 * @internal
 */
export function verificationKeyOfJwk(jwk: unknown): VerificationKey {
  if (!isJsonObject(jwk)) throw new UnfitKeyError('JWK: expected a JSON object');
  // Before the import, which is the expensive part.
  checkUsage(jwk);
  const key = verificationKeyOf(importPublic(publicMembers(jwk)));
  const alg = member(jwk, 'alg');
  if (alg !== undefined && alg !== key.algorithm) {
    throw new UnfitKeyError(`JWK "alg": expected ${key.algorithm}`);
  }
  const kid = member(jwk, 'kid');
  if (kid === undefined) return key;
  if (typeof kid !== 'string') throw new UnfitKeyError('JWK "kid": expected a string');
  return { ...key, keyId: kid };
}

/** The members that make a public key, by `kty` (RFC 7518 §6.2.1 and §6.3.1). */
const PUBLIC_MEMBERS: Readonly<Record<'RSA' | 'EC', readonly string[]>> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
};

// The modulus of the largest RSA key that is taken has 1366 characters.
const MAX_MEMBER_LENGTH = 2_048;

const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function publicMembers(jwk: JsonObject): JsonWebKey {
  if (SECRET_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    throw new UnfitKeyError('JWK: expected a public key');
  }
  const kty = member(jwk, 'kty');
  if (kty !== 'RSA' && kty !== 'EC') throw new UnfitKeyError('JWK "kty": expected RSA or EC');
  return Object.fromEntries(PUBLIC_MEMBERS[kty].map((name) => [name, textMember(jwk, name)]));
}

function textMember(jwk: JsonObject, name: string): string {
  const value = member(jwk, name);
  if (typeof value !== 'string') throw new UnfitKeyError(`JWK "${name}": expected a string`);
  if (value.length > MAX_MEMBER_LENGTH) throw new UnfitKeyError(`JWK "${name}": expected a shorter one`);
  return value;
}

function importPublic(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new UnfitKeyError('JWK: expected a point on a known curve, or an RSA modulus and exponent');
  }
}

/** RFC 7517 §4.2 and §4.3: a key that says what it is for is used for that alone. */
function checkUsage(jwk: JsonObject): void {
  const use = member(jwk, 'use');
  const operations = member(jwk, 'key_ops');
  if (use !== undefined && use !== 'sig') throw new UnfitKeyError('JWK "use": expected sig');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw new UnfitKeyError('JWK "key_ops": expected verify among them');
  }
}
