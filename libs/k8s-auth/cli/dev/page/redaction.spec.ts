import { describe, expect, it } from '@jest/globals';
import { shownText, toPublicJson, withoutToken } from './redaction.js';

const HEADER = Buffer.from('{"alg":"RS256"}').toString('base64url');
const PAYLOAD = Buffer.from('{ "sub":"with a blank first" }').toString('base64url');
const SIGNATURE = 'c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw';
const TOKEN = `${HEADER}.${PAYLOAD}.${SIGNATURE}`;

describe('withoutToken', () => {
  it.each([TOKEN, `Bearer ${TOKEN}`, HEADER, PAYLOAD, SIGNATURE, `${PAYLOAD}.${SIGNATURE}`])(
    'removes every part of the token: %s',
    (text) => {
      const shown = withoutToken(`got ${text}!`, TOKEN);
      expect(shown).toContain('[token]');
      for (const part of [HEADER, PAYLOAD, SIGNATURE]) expect(shown).not.toContain(part);
    },
  );

  it('removes another token too', () => {
    expect(withoutToken('got eyJhbGciOiJFUzI1NiJ9.eyJ9.abc', TOKEN)).toBe('got [token]');
  });

  it.each([86, 342])('removes a signature of %i characters of another token', (length) => {
    expect(withoutToken(`got ${'Ab_-'.repeat(100).slice(0, length)}.`, TOKEN)).toBe('got [token].');
  });

  it('keeps other text', () => {
    expect(withoutToken('hello system:serviceaccount:mytest:default', TOKEN)).toBe(
      'hello system:serviceaccount:mytest:default',
    );
    expect(withoutToken('a.b.c', 'a.b.c')).toBe('a.b.c');
  });
});

describe('shownText', () => {
  it('replaces control characters and colours, and keeps line breaks', () => {
    expect(shownText('\u001b[31mred\u001b[0m\u0007 a\nb\u202ec')).toBe('red  a\nb c');
  });

  it('is not longer than 2,000 characters', () => {
    expect(shownText('x '.repeat(5000))).toBe(`${'x '.repeat(1000)}…`);
  });
});

describe('toPublicJson', () => {
  it('contains nothing that looks like a token, wherever it is', () => {
    expect(toPublicJson({ [TOKEN]: [TOKEN, { deep: `x${TOKEN}` }] })).not.toMatch(/eyJ/);
  });
});
