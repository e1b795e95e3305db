import { createVerify } from 'node:crypto';
import { InvalidTokenError } from '../errors.js';
import { type UnverifiedHeader, type UnverifiedJws } from './compact-jws.js';
import { turnBudget } from './turn-budget.js';
import { type KeyAlgorithm, type VerificationKey } from './verification-key.js';

/** Finds the keys that may have signed a token, by its unverified header. Immutable. @internal */
export class KeySet {
  private readonly keys: ReadonlySet<VerificationKey>;
  private readonly byKeyId: ReadonlyMap<unknown, readonly VerificationKey[]>;
  private readonly byAlgorithm: ReadonlyMap<unknown, readonly VerificationKey[]>;

  /** @param last the set that this one replaces: keys that did not change keep their objects, see {@link has} */
  constructor(keys: readonly VerificationKey[], last?: KeySet) {
    const own = keys.map((key) => last?.sameAs(key) ?? key);
    this.keys = new Set(own);
    this.byKeyId = groupBy(own, ({ keyId }) => keyId);
    this.byAlgorithm = groupBy(own, ({ algorithm }) => algorithm);
  }

  get size(): number {
    return this.keys.size;
  }

  /**
   * With a `kid` (RFC 7515 §4.1.4): the keys with this ID. There can be several, because a `kid` need not be unique in a
   * set. Without a `kid`: all keys of the algorithm in the header. The header only selects keys; it proves nothing.
   */
  candidates({ alg, kid }: UnverifiedHeader): readonly VerificationKey[] {
    return (kid === undefined ? this.byAlgorithm.get(alg) : this.byKeyId.get(kid)) ?? [];
  }

  /** Whether the key, found in this set or in one that it replaces, is in this set. */
  has(key: VerificationKey): boolean {
    return this.keys.has(key);
  }

  private sameAs({ keyId, key }: VerificationKey): VerificationKey | undefined {
    return this.byKeyId.get(keyId)?.find((one) => one.key.equals(key));
  }
}

function groupBy(
  keys: readonly VerificationKey[],
  nameOf: (key: VerificationKey) => string,
): ReadonlyMap<unknown, readonly VerificationKey[]> {
  const groups = new Map<string, VerificationKey[]>();
  for (const key of keys) {
    const name = nameOf(key);
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  return groups;
}

// A cluster has one to three keys. The limit bounds the cost of a token without `kid` if an issuer has many keys.
export const MAX_KEYS_TRIED = 10;

/**
 * Checks that the signature is valid for one of the candidates, with the algorithm of that key. At most the first
 * {@link MAX_KEYS_TRIED} keys are tried.
 * @returns the key of the signature: synchronously, unless this turn of the event loop has no time left for it
 * @throws {InvalidTokenError} SIGNATURE
 * @throws {VerifierUnavailableError} too many signatures wait
 * @internal
 */
export function verifySignature(
  jws: UnverifiedJws,
  candidates: readonly VerificationKey[],
): VerificationKey | Promise<VerificationKey> {
  if (candidates.length === 0) throw rejected('signature: expected a known key');
  const { alg } = jws.unverifiedHeader;
  const matching = candidates.filter(({ algorithm }) => algorithm === alg);
  if (matching.length === 0) throw rejected('signature: expected the algorithm of the key');
  return findSigner(jws, matching, 0);
}

function findSigner(
  jws: UnverifiedJws,
  keys: readonly VerificationKey[],
  first: number,
): VerificationKey | Promise<VerificationKey> {
  const key = first < MAX_KEYS_TRIED ? keys[first] : undefined;
  if (!key) throw rejected('signature: expected a valid signature of the key');
  // Each key separately: ten keys on P-521 take longer than other requests should wait.
  const isSigned = turnBudget.run(isSignedBy, { jws, key });
  if (isSigned === true) return key;
  if (isSigned === false) return findSigner(jws, keys, first + 1);
  return isSigned.then((isSignedLate) => (isSignedLate ? key : findSigner(jws, keys, first + 1)));
}

/** RFC 7518 §3.3 and §3.4. The length of a signature is that of the modulus, or of two coordinates. */
const HASHES: Readonly<Record<KeyAlgorithm, string>> = {
  RS256: 'sha256',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
};

interface Attempt {
  readonly jws: UnverifiedJws;
  readonly key: VerificationKey;
}

function isSignedBy({ jws: { token, signature }, key: { key, algorithm } }: Attempt): boolean {
  // OpenSSL's own form of an ECDSA signature is DER; JWS uses the two integers of IEEE P1363.
  const using = algorithm === 'RS256' ? key : ({ key, dsaEncoding: 'ieee-p1363' } as const);
  try {
    // The first two parts with the dot between them, in ASCII (RFC 7515 §5.2).
    const signingInput = token.slice(0, token.lastIndexOf('.'));
    return createVerify(HASHES[algorithm]).update(signingInput, 'latin1').verify(using, signature);
  } catch {
    // The platform throws many kinds of errors for invalid input. None of them is an outage: they all mean that the
    // signature is not valid for this key.
    return false;
  }
}

function rejected(message: string): InvalidTokenError {
  return new InvalidTokenError('SIGNATURE', message);
}
