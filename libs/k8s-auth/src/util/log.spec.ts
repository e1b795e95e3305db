import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { describeError, loggable } from './log.js';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJpc3N1ZXIifQ.c2lnbmF0dXJl';

describe('loggable', () => {
  it('leaves short plain text alone', () => {
    expect(loggable('connect ECONNREFUSED 127.0.0.1:80')).toBe('connect ECONNREFUSED 127.0.0.1:80');
  });

  it.each([
    [`Bearer ${TOKEN}`, 'Bearer [token]'],
    [`"${TOKEN}" is refused, and ${TOKEN} too`, '"[token]" is refused, and [token] too'],
    [TOKEN.slice(0, 25), '[token]'],
    [`${TOKEN}.`, '[token]'],
  ])('takes tokens out of %j', (text, expected) => {
    expect(loggable(text)).toBe(expected);
  });

  it('makes one line of many, without control characters', () => {
    expect(loggable('a\r\nb\u001b[31mc\u2028d')).toBe('a b [31mc d');
  });

  it('cuts long text', () => {
    expect(loggable('x'.repeat(200))).toHaveLength(200);
    expect(loggable('x'.repeat(201))).toBe(`${'x'.repeat(200)}…`);
    expect(loggable('abcdef', 3)).toBe('abc…');
  });

  it('does not let a cut through a token leave a part of it', () => {
    expect(loggable(`${'x'.repeat(190)} ${TOKEN}`)).not.toContain('eyJ');
  });
});

describe('describeError', () => {
  it('joins the words of an error and its causes, with their codes', () => {
    const reset = Object.assign(new Error('read failed'), { code: 'ECONNRESET' });
    const error = new Error('no answer', { cause: new Error('', { cause: reset }) });
    expect(describeError(error)).toBe('no answer: read failed (ECONNRESET)');
  });

  it('does not repeat a code that the message has', async () => {
    const missing: unknown = await readFile('/nowhere/token').catch((error: unknown) => error);
    expect(describeError(missing)).toBe("ENOENT: no such file or directory, open '/nowhere/token'");
  });

  it('says a code once, however many errors have it', () => {
    const withCode = (message: string, cause?: Error) =>
      Object.assign(new Error(message, { cause }), { code: 'ERR_SOME' });
    expect(describeError(withCode('a', withCode('b', withCode('c'))))).toBe('a (ERR_SOME): b: c');
  });

  it('stops after four, so that a circle of causes ends', () => {
    const error = new Error('again');
    error.cause = error;
    expect(describeError(error)).toBe('again: again: again: again');
  });

  it('keeps tokens out', () => {
    expect(describeError(new Error(`Invalid character in header: ${TOKEN}`))).toBe(
      'Invalid character in header: [token]',
    );
  });

  it.each([[undefined], ['text'], [{ message: 'like an error' }], [new Error('')]])(
    'says so when there is nothing to say: %p',
    (error) => {
      expect(describeError(error)).toBe('unknown error');
    },
  );
});
