import { compactVerify } from 'jose';
import { InvalidTokenError } from '../errors.js';
import { type UnverifiedHeader, type UnverifiedJws } from './compact-jws.js';
import { type VerificationKey } from './verification-key.js';

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

// A cluster has one to three keys. Where an issuer has many, a token that names none must not be verified with them all.
export const MAX_KEYS_TRIED = 10;

/**
 * The signature has to hold under one of the candidates, by that key's own algorithm. The first ten are tried.
 * @throws {InvalidTokenError} SIGNATURE
 * @internal
 */
export async function verifySignature(
  jws: UnverifiedJws,
  candidates: readonly VerificationKey[],
): Promise<void> {
  if (candidates.length === 0) throw refused('signature: expected a known key');
  const { alg } = jws.unverifiedHeader;
  const fitting = candidates.filter(({ algorithm }) => algorithm === alg);
  if (fitting.length === 0) throw refused("signature: expected the key's own algorithm");
  for (const candidate of fitting.slice(0, MAX_KEYS_TRIED)) {
    if (await holds(jws.token, candidate)) return;
  }
  throw refused('signature: expected to match');
}

async function holds(token: string, { key, algorithm }: VerificationKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
    return true;
  } catch {
    // The platform throws errors of many kinds for what it cannot take. None of them is an outage: with this key,
    // the signature does not hold.
    return false;
  }
}

function refused(message: string): InvalidTokenError {
  return new InvalidTokenError('SIGNATURE', message);
}
