import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type VerificationKey } from '../jwt/verification-key.js';

/** The keys that may have signed a token, found by what its unverified header says. Immutable. @internal */
export class KeySet {
  private readonly byKeyId: ReadonlyMap<unknown, readonly VerificationKey[]>;
  private readonly byAlgorithm: ReadonlyMap<unknown, readonly VerificationKey[]>;

  constructor(keys: readonly VerificationKey[]) {
    this.byKeyId = groupBy(keys, ({ keyId }) => keyId);
    this.byAlgorithm = groupBy(keys, ({ algorithm }) => algorithm);
  }

  /**
   * By `kid` (RFC 7515 §4.1.4) where the token has one: nothing makes a `kid` unique in a set, so there may be
   * several. Without it, all keys of the algorithm that the token claims. The choice is a hint and grants nothing.
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
