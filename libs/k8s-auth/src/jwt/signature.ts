import { compactVerify } from 'jose';
import { InvalidTokenError } from '../errors.js';
import { type UnverifiedHeader, type UnverifiedJws } from './compact-jws.js';
import { type VerificationKey } from './verification-key.js';

/** Finds the keys that may have signed a token, by its unverified header. Immutable. @internal */
export class KeySet {
  private readonly byKeyId: ReadonlyMap<unknown, readonly VerificationKey[]>;
  private readonly byAlgorithm: ReadonlyMap<unknown, readonly VerificationKey[]>;

  constructor(keys: readonly VerificationKey[]) {
    this.byKeyId = groupBy(keys, ({ keyId }) => keyId);
    this.byAlgorithm = groupBy(keys, ({ algorithm }) => algorithm);
  }

  /**
   * With a `kid` (RFC 7515 §4.1.4): the keys with this ID. There can be several, because a `kid` need not be unique in a
   * set. Without a `kid`: all keys of the algorithm in the header. The header only selects keys; it proves nothing.
   */
  candidates({ alg, kid }: UnverifiedHeader): readonly VerificationKey[] {
    return (kid === undefined ? this.byAlgorithm.get(alg) : this.byKeyId.get(kid)) ?? [];
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
 * @throws {InvalidTokenError} SIGNATURE
 * @internal
 */
export async function verifySignature(
  jws: UnverifiedJws,
  candidates: readonly VerificationKey[],
): Promise<void> {
  if (candidates.length === 0) throw rejected('signature: expected a known key');
  const { alg } = jws.unverifiedHeader;
  const matching = candidates.filter(({ algorithm }) => algorithm === alg);
  if (matching.length === 0) throw rejected('signature: expected the algorithm of the key');
  for (const candidate of matching.slice(0, MAX_KEYS_TRIED)) {
    if (await isSignedBy(jws.token, candidate)) return;
  }
  throw rejected('signature: expected a valid signature of the key');
}

async function isSignedBy(token: string, { key, algorithm }: VerificationKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
    return true;
  } catch {
    // The platform throws many kinds of errors for invalid input. None of them is an outage: they all mean that the
    // signature is not valid for this key.
    return false;
  }
}

function rejected(message: string): InvalidTokenError {
  return new InvalidTokenError('SIGNATURE', message);
}
