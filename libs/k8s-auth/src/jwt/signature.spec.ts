import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { signRaw } from '../../testing/raw-token.fixture.js';
import { outcome } from '../api-server/own-cluster.fixture.js';
import { parseCompactJws } from './compact-jws.js';
import { KeySet, verifySignature } from './signature.js';
import { type VerificationKey, verificationKeyOf } from './verification-key.js';

const newPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = newPair();
const rsaKey = verificationKeyOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);

function verify(keys: readonly VerificationKey[], key: KeyObject = signer.privateKey, kid?: string) {
  const jws = parseCompactJws(
    signRaw(key, { alg: 'ES256', ...(kid !== undefined && { kid }) }, { iss: 'a' }),
  );
  return outcome(
    (async () => {
      await verifySignature(jws, new KeySet(keys).candidates(jws.unverifiedHeader));
    })(),
  );
}

const strangers = (count: number, keyId?: string) =>
  Array.from({ length: count }, () => {
    const key = verificationKeyOf(newPair().publicKey);
    return keyId === undefined ? key : { ...key, keyId };
  });

describe('verifySignature', () => {
  const own = verificationKeyOf(signer.publicKey);

  it('tries at most ten keys of the algorithm for a token without kid', async () => {
    const others = Array<VerificationKey>(50).fill(rsaKey);
    expect(await verify([...others, ...strangers(9), own])).toBeUndefined();
    expect(await verify([...strangers(10), own])).toMatchObject({ reason: 'SIGNATURE' });
  });

  it('tries at most ten keys that share a kid', async () => {
    const same = { ...own, keyId: 'same' };
    expect(await verify([...strangers(9, 'same'), same], signer.privateKey, 'same')).toBeUndefined();
    const outcomeOfEleventh = await verify([...strangers(10, 'same'), same], signer.privateKey, 'same');
    expect(outcomeOfEleventh).toMatchObject({ reason: 'SIGNATURE' });
  });

  it('finds a key by its kid among many keys', async () => {
    expect(await verify([...strangers(50), own], signer.privateKey, own.keyId)).toBeUndefined();
  });
});
