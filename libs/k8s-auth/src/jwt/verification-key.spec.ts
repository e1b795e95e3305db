import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { algorithmOf, UnfitKeyError, verificationKeyOf, verificationKeyOfJwk } from './verification-key.js';
import { KeySet } from './signature.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaJwk = rsa.publicKey.export({ format: 'jwk' });

function ec(namedCurve: string): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).publicKey;
}

/** A modulus of the length asked for; that it is no product of two primes shows nowhere. */
function rsaJwkWith(bits: number, exponent: string): JsonWebKey {
  const n = Buffer.alloc(bits / 8, 0xff).toString('base64url');
  return { kty: 'RSA', n, e: Buffer.from(exponent, 'hex').toString('base64url') };
}

describe('algorithmOf', () => {
  it('returns the only algorithm of each key', () => {
    const keys = [rsa.publicKey, ec('P-256'), ec('P-384'), ec('P-521')];
    expect(keys.map(algorithmOf)).toEqual(['RS256', 'ES256', 'ES384', 'ES512']);
  });

  it.each([
    ['a private key', rsa.privateKey, 'expected a public key, got a private key'],
    ['another curve', ec('secp256k1'), 'P-256, P-384 or P-521'],
    ['an Edwards curve', generateKeyPairSync('ed25519').publicKey, 'P-256, P-384 or P-521'],
    [
      'an RSA key for PSS alone',
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey,
      'expected an RSA key or an EC key',
    ],
    ['a short RSA key', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, 'got 1024'],
    ['a very long RSA key', createPublicKey({ key: rsaJwkWith(8448, '010001'), format: 'jwk' }), 'got 8448'],
  ])('refuses %s', (_, key, message) => {
    expect(() => algorithmOf(key)).toThrow(UnfitKeyError);
    expect(() => algorithmOf(key)).toThrow(message);
  });

  it.each(['01', '02', '010000'])('rejects the RSA exponent %s', (exponent) => {
    const key = createPublicKey({ key: rsaJwkWith(2048, exponent), format: 'jwk' });
    expect(() => algorithmOf(key)).toThrow('RSA exponent: expected an odd number of 3 or more');
  });

  it.each(['03', '010001'])('accepts the RSA exponent %s', (exponent) => {
    expect(algorithmOf(createPublicKey({ key: rsaJwkWith(2048, exponent), format: 'jwk' }))).toBe('RS256');
  });
});

describe('verificationKeyOf', () => {
  it('computes the key ID as Kubernetes does', () => {
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
    const { keyId } = verificationKeyOf(rsa.publicKey);
    expect(keyId).toBe(createHash('sha256').update(der).digest('base64url'));
    expect(keyId).toHaveLength(43);
  });
});

describe('verificationKeyOfJwk', () => {
  it('uses the kid of the key set, and computes one if it is missing', async () => {
    expect(await verificationKeyOfJwk({ ...rsaJwk, kid: 'mine' })).toMatchObject({
      keyId: 'mine',
      algorithm: 'RS256',
    });
    expect((await verificationKeyOfJwk(rsaJwk)).keyId).toBe(verificationKeyOf(rsa.publicKey).keyId);
  });

  it('accepts a key that states it is for signatures', async () => {
    const jwk = { ...rsaJwk, alg: 'RS256', use: 'sig', key_ops: ['verify'], x5c: ['ignored'] };
    expect((await verificationKeyOfJwk(jwk)).algorithm).toBe('RS256');
  });

  const ecJwk = ec('P-256').export({ format: 'jwk' });
  it.each<[string, unknown]>([
    ['null', null],
    ['text', 'key'],
    ['a list', []],
    ['an empty object', {}],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
    ['an OKP key', generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })],
    ['a private key', rsa.privateKey.export({ format: 'jwk' })],
    ['a public key with a private member', { ...ecJwk, d: '' }],
    ['inherited members', Object.create(rsaJwk)],
    ['another alg of the same family', { ...rsaJwk, alg: 'RS512' }],
    ['PSS', { ...rsaJwk, alg: 'PS256' }],
    ["another curve's alg", { ...ecJwk, alg: 'ES384' }],
    ['use enc', { ...rsaJwk, use: 'enc' }],
    ['key_ops without verify', { ...rsaJwk, key_ops: ['encrypt'] }],
    ['key_ops that are no list', { ...rsaJwk, key_ops: 'verify' }],
    ['a kid that is no string', { ...rsaJwk, kid: 7 }],
    ['a modulus that is no string', { ...rsaJwk, n: 5 }],
    ['no modulus', { kty: 'RSA', e: 'AQAB' }],
    ['a point that is not on the curve', { ...ecJwk, y: ecJwk.x }],
    ["another curve's name", { ...ecJwk, crv: 'P-384' }],
    ['a curve that nobody knows', { ...ecJwk, crv: 'P-1' }],
    ['e = 1', rsaJwkWith(2048, '01')],
    ['1024 bits', rsaJwkWith(1024, '010001')],
  ])('refuses %s', async (_, jwk) => {
    await expect(verificationKeyOfJwk(jwk)).rejects.toThrow(UnfitKeyError);
  });
});

describe('KeySet', () => {
  const one = { ...verificationKeyOf(rsa.publicKey), keyId: 'one' };
  const twin = { ...verificationKeyOf(ec('P-256')), keyId: 'one' };
  const other = { ...verificationKeyOf(ec('P-256')), keyId: 'other' };
  const keys = new KeySet([one, twin, other]);

  it('finds all keys with the kid of the token', () => {
    expect(keys.candidates({ alg: 'RS256', kid: 'one' })).toEqual([one, twin]);
    expect(keys.candidates({ alg: 'RS256', kid: 'none' })).toEqual([]);
    expect(keys.candidates({ alg: 'RS256', kid: '' })).toEqual([]);
  });

  it('finds all keys of the algorithm if the token has no kid', () => {
    expect(keys.candidates({ alg: 'ES256' })).toEqual([twin, other]);
    expect(keys.candidates({ alg: 'ES384' })).toEqual([]);
  });
});
