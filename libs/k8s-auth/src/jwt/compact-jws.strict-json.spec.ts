import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../test-support/seeded-random.js';
import { isJsonObject, member, parseStrictJson } from './compact-jws.js';

const TEXTS = ['', 'a', 'b:', '{"a":1}', '"', '\\', '\\"', ':', 'ä', '\u0000', ' ', 'x'.repeat(50), '}', ']'];

function randomValue(random: () => number, depth: number): unknown {
  const text = () => TEXTS[Math.floor(random() * TEXTS.length)] + String(Math.floor(random() * 9));
  const kind = Math.floor(random() * (depth > 0 ? 6 : 4));
  if (kind === 0) return text();
  if (kind === 1) return (random() - 0.5) * 10 ** Math.floor(random() * 40);
  if (kind === 2) return random() < 0.5;
  if (kind === 3) return null;
  const length = Math.floor(random() * 5);
  if (kind === 4) return Array.from({ length }, () => randomValue(random, depth - 1));
  return Object.fromEntries(Array.from({ length }, () => [text(), randomValue(random, depth - 1)]));
}

describe('parseStrictJson', () => {
  it('returns the same value as JSON.parse', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 2000; round++) {
      const value = randomValue(random, 5);
      const text = JSON.stringify(value, null, round % 3);
      expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    }
  });

  it('rejects a repeated name in every position of an object', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 500; round++) {
      const twice = `{"q":${JSON.stringify(randomValue(random, 3))}, "q" :${JSON.stringify(randomValue(random, 3))}}`;
      const text = `{"first":[${JSON.stringify(randomValue(random, 3))},${twice}],"last":{}}`;
      expect(() => parseStrictJson(text)).toThrow('JSON: expected unique names');
    }
  });

  it.each([
    ['escaped on one side', '{"exp":1,"\\u0065xp":2}'],
    ['escaped differently', '{"a\\/b":1,"a/b":2}'],
    ['with a quote in the name', '{"a\\"":1,"a\\"":2}'],
    ['after an inner object with the name', '{"a":{"a":1},"a":2}'],
    ['with line breaks before the colon', '{"a"\r\n\t :1,"a":2}'],
  ])('rejects a repeated name %s', (_, text) => {
    expect(() => parseStrictJson(text)).toThrow(SyntaxError);
    expect(JSON.parse(text)).toBeDefined();
  });

  it.each([
    ['the same name in two objects', '[{"a":1},{"a":1}]'],
    ['names that differ in case', '{"a":1,"A":2}'],
    ['a value that looks like a name', '{"a":"b","b":"a"}'],
    ['an escaped backslash before the quote', '{"a":"\\\\","b":"\\\\\\""}'],
  ])('accepts %s', (_, text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  it.each(['{"__proto__":{"exp":9e9}}', '{"a":[{"\\u005f_proto__":1}]}'])('rejects %s', (text) => {
    expect(() => parseStrictJson(text)).toThrow('JSON: expected no "__proto__"');
  });

  it('rejects text that is nested too deeply or too long', () => {
    expect(parseStrictJson('['.repeat(16) + ']'.repeat(16))).toBeDefined();
    expect(() => parseStrictJson('['.repeat(17) + ']'.repeat(17))).toThrow('at most 16 levels');
    expect(parseStrictJson(`"${'x'.repeat(16_382)}"`)).toHaveLength(16_382);
    expect(() => parseStrictJson(`"${'x'.repeat(16_383)}"`)).toThrow('at most 16384 characters');
  });

  it.each(['', '{', '{"secret":}', '\ufeff{}', "{'a':1}", '{} {}', 'NaN'])(
    'refuses %j without quoting it',
    (text) => {
      expect(() => parseStrictJson(text)).toThrow(/^JSON: expected valid JSON \(RFC 8259\)$/);
    },
  );
});

describe('member', () => {
  it('reads only own properties', () => {
    expect(member({ a: 1 }, 'a')).toBe(1);
    expect(member({}, 'toString')).toBeUndefined();
    expect(member(Object.create({ exp: 1 }) as Record<string, unknown>, 'exp')).toBeUndefined();
  });

  it('isJsonObject accepts only JSON objects', () => {
    expect([{}, [], null, 'a', 1].map(isJsonObject)).toEqual([true, false, false, false, false]);
  });
});
