import { createHash, KeyObject } from 'node:crypto';
import { type CryptoKey, type JWK } from 'jose';
import { isJsonObject, type JsonObject, member } from './compact-jws.js';

/** The algorithms that Kubernetes signs with (pkg/serviceaccount, external signers included). */
export type KeyAlgorithm = 'RS256' | 'ES256' | 'ES384' | 'ES512';

/** @internal */
export function isKeyAlgorithm(alg: string): alg is KeyAlgorithm {
  return alg === 'RS256' || alg === 'ES256' || alg === 'ES384' || alg === 'ES512';
}

/** The key must not be used for verification. The message says why and contains no key material. @internal */
export class UnfitKeyError extends Error {
  override readonly name = 'UnfitKeyError';
}

// NIST SP 800-131A; the upper bound keeps one verification cheap.
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

// OpenSSL's names for P-256, P-384 and P-521 (RFC 7518 §3.4).
const ALGORITHM_OF_CURVE: ReadonlyMap<string | undefined, KeyAlgorithm> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

/**
 * The only algorithm that a key is used with. The key determines it, never the token (RFC 8725 §3.1).
 * @throws {UnfitKeyError} the key is not a public RSA or EC key, or it is too weak
 * @internal
 */
export function algorithmOf(key: KeyObject): KeyAlgorithm {
  if (key.type !== 'public') throw new UnfitKeyError(`expected a public key, got a ${key.type} key`);
  if (key.asymmetricKeyType === 'rsa') {
    checkRsa(key.asymmetricKeyDetails ?? {});
    return 'RS256';
  }
  const algorithm =
    key.asymmetricKeyType === 'ec' ? ALGORITHM_OF_CURVE.get(key.asymmetricKeyDetails?.namedCurve) : undefined;
  if (algorithm === undefined) {
    throw new UnfitKeyError('expected an RSA key or an EC key on P-256, P-384 or P-521');
  }
  return algorithm;
}

function checkRsa({
  modulusLength = 0,
  publicExponent = 0n,
}: NonNullable<KeyObject['asymmetricKeyDetails']>): void {
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    throw new UnfitKeyError(
      `RSA modulus: expected ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, got ${modulusLength}`,
    );
  }
  // With e = 1 every message is its own signature, and an even e has no inverse. The platform accepts both.
  if (publicExponent < 3n || publicExponent % 2n === 0n) {
    throw new UnfitKeyError('RSA exponent: expected an odd number of 3 or more');
  }
}

/** A checked public key and its algorithm. */
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
 * Reads one key of a key set (RFC 7517 §4). A key without `kid` gets the ID that Kubernetes would compute.
 * @throws {UnfitKeyError} the key is not for signatures, does not match its `alg`, is private, symmetric or weak, or is
 *   not a key at all
 * @internal
 */
export async function verificationKeyOfJwk(jwk: unknown): Promise<VerificationKey> {
  if (!isJsonObject(jwk)) throw new UnfitKeyError('JWK: expected a JSON object');
  // Checked before the import, which is expensive.
  checkUsage(jwk);
  const key = verificationKeyOf(await importPublic(publicMembers(jwk)));
  const alg = member(jwk, 'alg');
  if (alg !== undefined && alg !== key.algorithm) {
    throw new UnfitKeyError(`JWK "alg": expected ${key.algorithm}`);
  }
  const kid = member(jwk, 'kid');
  if (kid === undefined) return key;
  if (typeof kid !== 'string') throw new UnfitKeyError('JWK "kid": expected a string');
  return { ...key, keyId: kid };
}

/** The members of a public key, by `kty` (RFC 7518 §6.2.1 and §6.3.1). */
const PUBLIC_MEMBERS: Readonly<Record<'RSA' | 'EC', readonly string[]>> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
};

// The modulus of the largest accepted RSA key has 1366 characters.
const MAX_MEMBER_LENGTH = 2_048;

const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function publicMembers(jwk: JsonObject): JWK {
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
  if (value.length > MAX_MEMBER_LENGTH) {
    throw new UnfitKeyError(`JWK "${name}": expected a shorter one`);
  }
  return value;
}

const ALGORITHM_OF_CRV: Readonly<Record<string, KeyAlgorithm>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
};

async function importPublic(jwk: JWK): Promise<KeyObject> {
  // Imported with the first key set, because verifiers with keys in files do not need it.
  const { importJWK } = await import('jose');
  const algorithm = jwk.kty === 'RSA' ? 'RS256' : ALGORITHM_OF_CRV[jwk.crv ?? ''];
  try {
    // jose returns bytes for symmetric keys only.
    return KeyObject.from((await importJWK(jwk, algorithm)) as CryptoKey);
  } catch {
    throw new UnfitKeyError('JWK: expected a point on a known curve, or an RSA modulus and exponent');
  }
}

/** RFC 7517 §4.2 and §4.3: a key that states its use must not be used for anything else. */
function checkUsage(jwk: JsonObject): void {
  const use = member(jwk, 'use');
  const operations = member(jwk, 'key_ops');
  if (use !== undefined && use !== 'sig') throw new UnfitKeyError('JWK "use": expected sig');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw new UnfitKeyError('JWK "key_ops": expected verify among them');
  }
}
