import { type KeyObject } from 'node:crypto';

/** The algorithms that Kubernetes signs with (pkg/serviceaccount, external signers included). */
export type KeyAlgorithm = 'RS256' | 'ES256' | 'ES384' | 'ES512';

/** @internal */
export function isKeyAlgorithm(alg: string): alg is KeyAlgorithm {
  return alg === 'RS256' || alg === 'ES256' || alg === 'ES384' || alg === 'ES512';
}

/** This key must not verify anything; the message says why and holds no key material. @internal */
export class UnfitKeyError extends Error {
  override readonly name = 'UnfitKeyError';
}

// NIST SP 800-131A; the upper bound keeps one verification cheap.
const RSA_MIN_BITS = 2048;
const RSA_MAX_BITS = 8192;

// OpenSSL's names for P-256, P-384 and P-521 (RFC 7518 §3.4).
const ALGORITHM_OF_CURVE: ReadonlyMap<string | undefined, KeyAlgorithm> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

/**
 * The one algorithm that a key verifies: it belongs to the key, never to the token (RFC 8725 §3.1).
 * @throws {UnfitKeyError} the key is no public RSA or EC key, or too weak
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
  if (modulusLength < RSA_MIN_BITS || modulusLength > RSA_MAX_BITS) {
    throw new UnfitKeyError(
      `RSA modulus: expected ${RSA_MIN_BITS} to ${RSA_MAX_BITS} bits, got ${modulusLength}`,
    );
  }
  // With e = 1 every message is its own signature; an even e has no inverse. The platform takes both.
  if (publicExponent < 3n || publicExponent % 2n === 0n) {
    throw new UnfitKeyError('RSA exponent: expected an odd number of 3 or more');
  }
}
