import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { locateJwks } from './jwks-location.js';
import { readJwks } from './jwks.js';
import { KeySourceTrouble } from './key-source.js';

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const type = 'application/jwk-set+json';

function keyIds(document: unknown, contentType = type, status = 200): string[] {
  const body = typeof document === 'string' ? document : JSON.stringify(document);
  return readJwks({ status, headers: { 'content-type': contentType }, body }).map(({ keyId }) => keyId);
}

describe('readJwks', () => {
  it('passes over what is no key of ours, and keeps duplicates', () => {
    const junk = [null, 1, 'key', [], {}, { kty: 'oct', k: 'AAAA', kid: 'a' }, { ...jwk, d: 'AAAA' }];
    const proto = JSON.parse('{"__proto__":{"kty":"EC"}}') as unknown;
    expect(keyIds({ keys: [...junk, { ...jwk, kid: 'a' }, proto, { ...jwk, kid: 'a' }] })).toEqual([
      'a',
      'a',
    ]);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JWK-Set+JSON'])(
    'takes %s',
    (contentType) => {
      expect(keyIds({ keys: [{ ...jwk, kid: 'a' }] }, contentType)).toEqual(['a']);
    },
  );

  const good = { keys: [jwk] };
  it.each<[string, () => unknown]>([
    ['HTML', () => keyIds(good, 'text/html')],
    ['no type', () => readJwks({ status: 200, headers: {}, body: JSON.stringify(good) })],
    ['another status', () => keyIds(good, type, 404)],
    ['a redirect', () => keyIds(good, type, 302)],
    ['no content', () => keyIds('', type)],
    ['half a document', () => keyIds('{"keys":[', type)],
    ['null', () => keyIds('null')],
    ['a list', () => keyIds([jwk])],
    ['no keys member', () => keyIds({})],
    ['an inherited keys member', () => keyIds('{"__proto__":{"keys":[]}}')],
    ['keys that are no list', () => keyIds({ keys: { 0: jwk } })],
    ['an empty set', () => keyIds({ keys: [] })],
    ['a set without a usable key', () => keyIds({ keys: [{ ...jwk, use: 'enc' }, null] })],
  ])('refuses %s', (_, read) => {
    expect(read).toThrow(KeySourceTrouble);
  });
});

describe('locateJwks', () => {
  const ISSUER = 'https://issuer.example/cluster';

  it.each([
    ['https://issuer.example/keys?v=1', 'https://issuer.example/keys?v=1'],
    ['https://ISSUER.example:443/keys', 'https://issuer.example/keys'],
    ['https://10.0.0.1:6443/openid/v1/jwks', 'https://issuer.example/openid/v1/jwks'],
    ['https://10.0.0.1:6443/openid/v1/jwks?x=1', 'https://issuer.example/openid/v1/jwks'],
  ])('reads %s at %s', (named, url) => {
    expect(locateJwks(ISSUER, named)).toBe(url);
  });

  it.each([
    'https://evil.example/keys',
    'https://issuer.example:8443/keys',
    'https://sub.issuer.example/keys',
    'http://issuer.example/keys',
    'http://issuer.example/openid/v1/jwks',
    'file:///openid/v1/jwks',
    'https://evil.example/x/openid/v1/jwks',
    'https://issuer.example@evil.example/keys',
  ])('refuses %s and names the option that would allow it', (named) => {
    expect(() => locateJwks(ISSUER, named)).toThrow(KeySourceTrouble);
    expect(() => locateJwks(ISSUER, named)).toThrow("option 'jwksUri'");
  });
});
