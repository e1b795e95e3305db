import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { type VerificationKey, verificationKeyOf } from './verification-key.js';
import { KeySet } from './signature.js';

it('KeySet finds keys by kid or else by algorithm, and creates no list for each token', () => {
  const keys = [
    ['a', 'RS256'],
    ['b', 'ES256'],
    ['a', 'ES256'],
  ].map(([keyId, algorithm]) => ({ keyId, algorithm }) as VerificationKey);
  const set = new KeySet(keys);
  expect(set.candidates({ alg: 'RS256', kid: 'a' })).toEqual([keys[0], keys[2]]);
  expect(set.candidates({ alg: 'ES256' })).toEqual([keys[1], keys[2]]);
  expect(set.candidates({ alg: 'ES256' })).toBe(set.candidates({ alg: 'ES256' }));
  expect(set.candidates({ alg: 'constructor' })).toEqual([]);
  expect(set.candidates({ alg: 'ES256', kid: 'c' })).toEqual([]);
});

it('KeySet has the keys that it shares with the set it replaces, even if they were read again', () => {
  const keyOf = (pem: string | Buffer, keyId: string) => ({
    ...verificationKeyOf(createPublicKey(pem)),
    keyId,
  });
  const [one, other] = [0, 1].map(() =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
  );
  if (one === undefined || other === undefined) throw new Error('expected two keys');
  const first = new KeySet([keyOf(one, 'a'), keyOf(other, 'b')]);
  const [key] = first.candidates({ alg: 'ES256', kid: 'a' });
  const [dropped] = first.candidates({ alg: 'ES256', kid: 'b' });
  if (!key || !dropped) throw new Error('expected both keys');
  const next = new KeySet([keyOf(one, 'a')], first);
  expect(next.has(key)).toBe(true);
  expect(next.has(dropped)).toBe(false);
  expect(next.candidates({ alg: 'ES256', kid: 'a' })).toEqual([key]);
  // Another key under the same ID, and the same key under another ID, are other keys.
  expect(new KeySet([keyOf(other, 'a')], next).has(key)).toBe(false);
  expect(new KeySet([keyOf(one, 'c')], next).has(key)).toBe(false);
});
