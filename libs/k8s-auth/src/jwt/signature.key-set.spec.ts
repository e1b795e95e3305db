import { expect, it } from '@jest/globals';
import { type VerificationKey } from './verification-key.js';
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
