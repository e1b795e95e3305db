import { compactVerify } from 'jose';
import { InvalidTokenError } from '../errors.js';
import { type UnverifiedJws } from './compact-jws.js';
import { type VerificationKey } from './verification-key.js';

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
