import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type VerificationKey } from '../jwt/verification-key.js';

/** The keys that may have signed a token, found by what its unverified header says. Immutable. @internal */
export class KeySet {
  private readonly byKeyId = new Map<string, VerificationKey[]>();

  constructor(private readonly keys: readonly VerificationKey[]) {
    for (const key of keys) {
      const sameId = this.byKeyId.get(key.keyId);
      if (sameId) sameId.push(key);
      else this.byKeyId.set(key.keyId, [key]);
    }
  }

  /**
   * By `kid` (RFC 7515 §4.1.4) where the token has one: nothing makes a `kid` unique in a set, so there may be
   * several. Without it, all keys of the algorithm that the token claims. The choice is a hint and grants nothing.
   */
  candidates({ alg, kid }: UnverifiedHeader): readonly VerificationKey[] {
    if (kid !== undefined) return this.byKeyId.get(kid) ?? [];
    return this.keys.filter(({ algorithm }) => algorithm === alg);
  }
}
