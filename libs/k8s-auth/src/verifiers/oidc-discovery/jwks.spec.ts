import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
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

  it.each(['application/json; charset=utf-8', 'binary/octet-stream', 'text/plain', 'text/html', ''])(
    'takes a key set that is served as "%s"',
    (contentType) => {
      expect(keyIds({ keys: [{ ...jwk, kid: 'a' }] }, contentType)).toEqual(['a']);
    },
  );

  it('takes a key set without a type, and one behind a byte order mark', () => {
    const body = `\uFEFF${JSON.stringify({ keys: [{ ...jwk, kid: 'a' }] })}`;
    expect(readJwks({ status: 200, headers: {}, body })).toHaveLength(1);
  });

  const good = { keys: [jwk] };
  it.each<[string, () => unknown]>([
    ['HTML', () => keyIds('<html><body>Sign in</body></html>', type)],
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
