import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type HttpsResponse } from '../http/https-client.js';
import { nextTurn } from '../util/timers.js';
import { verificationKeyOfJwk } from '../jwt/verification-key.js';
import { JwksReader, KeySourceError } from './key-source.js';

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const type = 'application/jwk-set+json';

function answer(document: unknown, contentType = type, status = 200): HttpsResponse {
  const body = typeof document === 'string' ? document : JSON.stringify(document);
  return { status, body, header: (name) => (name === 'content-type' ? contentType : undefined) };
}

async function keyIds(...args: Parameters<typeof answer>): Promise<string[]> {
  return (await new JwksReader().read(answer(...args))).map(({ keyId }) => keyId);
}

describe('JwksReader', () => {
  it('ignores entries that are not usable keys, and keeps duplicates', async () => {
    const junk = [null, 1, 'key', [], {}, { kty: 'oct', k: 'AAAA', kid: 'a' }, { ...jwk, d: 'AAAA' }];
    const proto = JSON.parse('{"__proto__":{"kty":"EC"}}') as unknown;
    const keys = [...junk, { ...jwk, kid: 'a' }, proto, { ...jwk, kid: 'a' }];
    expect(await keyIds({ keys })).toEqual(['a', 'a']);
  });

  it.each(['application/json; charset=utf-8', 'binary/octet-stream', 'text/plain', 'text/html', ''])(
    'takes a key set that is served as "%s"',
    async (contentType) => {
      expect(await keyIds({ keys: [{ ...jwk, kid: 'a' }] }, contentType)).toEqual(['a']);
    },
  );

  it('accepts a key set without a media type, and one with a byte order mark', async () => {
    const body = `\uFEFF${JSON.stringify({ keys: [{ ...jwk, kid: 'a' }] })}`;
    expect(await new JwksReader().read({ status: 200, body, header: () => undefined })).toHaveLength(1);
  });

  const good = { keys: [jwk] };
  it.each<[string, () => Promise<unknown>]>([
    ['HTML', () => keyIds('<html><body>Sign in</body></html>', type)],
    ['another status', () => keyIds(good, type, 404)],
    ['a redirect', () => keyIds(good, type, 302)],
    ['no content', () => keyIds('', type)],
    ['a truncated document', () => keyIds('{"keys":[', type)],
    ['null', () => keyIds('null')],
    ['a list', () => keyIds([jwk])],
    ['no keys member', () => keyIds({})],
    ['an inherited keys member', () => keyIds('{"__proto__":{"keys":[]}}')],
    ['keys that are not a list', () => keyIds({ keys: { 0: jwk } })],
    ['an empty set', () => keyIds({ keys: [] })],
    ['a set without a usable key', () => keyIds({ keys: [{ ...jwk, use: 'enc' }, null] })],
  ])('rejects %s', async (_, read) => {
    await expect(read()).rejects.toBeInstanceOf(KeySourceError);
  });
});

describe('JwksReader limits:', () => {
  const copies = (count: number, entry: unknown) => Array<unknown>(count).fill(entry);

  it.each([
    [100, 100],
    [100, 1_000],
  ])('accepts %d keys in %d entries', async (keys, entries) => {
    const document = { keys: [...copies(entries - keys, { kty: 'oct' }), ...copies(keys, jwk)] };
    await expect(keyIds(document)).resolves.toHaveLength(keys);
  });

  it.each([
    ['101 keys', copies(101, jwk), 'expected at most 100 usable keys'],
    ['1001 entries', [jwk, ...copies(1_000, {})], 'expected at most 1000 entries, got 1001'],
    ['80000 empty entries', copies(80_000, {}), 'expected at most 1000 entries, got 80000'],
  ])('rejects the whole key set with %s', async (_, keys, message) => {
    await expect(keyIds({ keys })).rejects.toThrow(message);
  });

  it('yields to the event loop between entries', async () => {
    let turns = 0;
    let isRead = false;
    const reading = keyIds({ keys: copies(50, jwk) }).finally(() => (isRead = true));
    for (; !isRead; turns++) await nextTurn();
    await reading;
    expect(turns).toBeGreaterThanOrEqual(49);
  });

  it('does not import a key with a modulus of a size that is not allowed', async () => {
    const modulus = 'A'.repeat(200_000);
    await expect(keyIds({ keys: [{ kty: 'RSA', n: modulus, e: 'AQAB' }] })).rejects.toThrow(
      'got none (entries: 1)',
    );
    await expect(verificationKeyOfJwk({ kty: 'RSA', n: modulus, e: 'AQAB' })).rejects.toThrow(
      'expected a shorter one',
    );
  });
});

describe('a key set that has not changed', () => {
  it('is not imported again, even after a failure', async () => {
    const reader = new JwksReader();
    const keys = await reader.read(answer({ keys: [jwk] }));
    expect(await reader.read(answer({ keys: [jwk] }))).toBe(keys);
    const other = await reader.read(answer({ keys: [jwk, jwk] }));
    expect(other).toHaveLength(2);
    expect(await reader.read(answer({ keys: [jwk] }))).toHaveLength(1);

    const failed = await reader.read(answer({ keys: [] })).catch((error: unknown) => error);
    await expect(reader.read(answer({ keys: [] }))).rejects.toBe(failed);
  });
});
