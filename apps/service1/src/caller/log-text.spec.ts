import { describe, expect, it } from '@jest/globals';
import { MAX_LOGGED_CHARACTERS, toLogText, withoutUserinfo } from './log-text.js';

describe('toLogText', () => {
  it.each([
    'hello system:serviceaccount:mytest:default',
    '{"message":"Unauthorized","statusCode":401}',
    "it's a \\ backslash, \u00fc, \u4e16\u754c and \u{1f600}",
  ])('leaves %j unchanged', (text) => {
    expect(toLogText(text)).toBe(text);
  });

  it.each([
    ['a line break', 'a\r\nb', 'a\\r\\nb'],
    ['a tab', 'a\tb', 'a\\tb'],
    ['a terminal sequence', '\u001b[31mred\u0007', '\\x1b[31mred\\x07'],
    ['NUL and DEL', '\u0000\u007f', '\\x00\\x7f'],
    ['a C1 control character', '\u009b2J', '\\x9b2J'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['bidirectional overrides', '\u202eabc\u2066\u200f\u061c', '\\u202eabc\\u2066\\u200f\\u061c'],
    ['characters without width', 'a\u200bb\ufeffc', 'a\\u200bb\\ufeffc'],
    ['language tags', '\u{e0041}', '\\u{e0041}'],
    ['half of a surrogate pair', 'a\ud83d', 'a\\ud83d'],
  ])('escapes %s', (_, text, expected) => {
    expect(toLogText(text)).toBe(expected);
  });

  it('removes a token that the target sends back', () => {
    const token = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJpc3N1ZXIifQ.c2lnbmF0dXJl';
    expect(toLogText(`{"authorization":"Bearer ${token}"}`)).toBe('{"authorization":"Bearer [token]"}');
    expect(toLogText('x'.repeat(MAX_LOGGED_CHARACTERS - 10) + token)).not.toContain('eyJ');
    expect(toLogText(`${token}${'A'.repeat(MAX_LOGGED_CHARACTERS)}`)).toBe('[token]…');
  });

  it('truncates a long text, even if only the escaping makes it long', () => {
    const cut = (text: string) => `${text.slice(0, MAX_LOGGED_CHARACTERS)}…`;
    expect(toLogText('x'.repeat(MAX_LOGGED_CHARACTERS))).toHaveLength(MAX_LOGGED_CHARACTERS);
    expect(toLogText('x'.repeat(10_000_000))).toBe(cut('x'.repeat(MAX_LOGGED_CHARACTERS)));
    expect(toLogText(`x${'\u{1f600}'.repeat(1000)}`)).toBe(`x${'\u{1f600}'.repeat(999)}…`);
    expect(toLogText('\u001b'.repeat(10_000_000))).toBe(cut('\\x1b'.repeat(MAX_LOGGED_CHARACTERS)));
  });
});

describe('withoutUserinfo', () => {
  it.each(['http://service2.mytest.svc', 'http://127.0.0.1:8080/whoami?a=b@c', 'https://host/@path'])(
    'leaves %s unchanged',
    (url) => {
      expect(withoutUserinfo(url)).toBe(url);
    },
  );

  it.each([
    ['http://user:secret@host:8080/path?query', 'http://***@host:8080/path?query'],
    ['http://secret@host', 'http://***@host/'],
    ['http://:secret@host', 'http://***@host/'],
    ['http://us@er:sec@ret@host', 'http://***@host/'],
    ['http:\\\\user:secret@host', 'http://***@host/'],
    ['http://user:sec\nret@host', 'http://***@host/'],
  ])('replaces the user name and password in %j', (url, expected) => {
    expect(withoutUserinfo(url)).toBe(expected);
  });
});
