import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { describeError, loggable } from './log.js';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJpc3N1ZXIifQ.c2lnbmF0dXJl';

describe('loggable', () => {
  it('does not change short plain text', () => {
    expect(loggable('connect ECONNREFUSED 127.0.0.1:80')).toBe('connect ECONNREFUSED 127.0.0.1:80');
  });

  it.each([
    [`Bearer ${TOKEN}`, 'Bearer [token]'],
    [`"${TOKEN}" is refused, and ${TOKEN} too`, '"[token]" is refused, and [token] too'],
    [TOKEN.slice(0, 25), '[token]'],
    [`${TOKEN}.`, '[token]'],
  ])('removes tokens from %j', (text, expected) => {
    expect(loggable(text)).toBe(expected);
  });

  it('joins several lines into one, without control characters', () => {
    expect(loggable('a\r\nb\u001b[31mc\u2028d')).toBe('a b [31mc d');
  });

  it('truncates long text', () => {
    expect(loggable('x'.repeat(200))).toHaveLength(200);
    expect(loggable('x'.repeat(201))).toBe(`${'x'.repeat(200)}…`);
    expect(loggable('abcdef', 3)).toBe('abc…');
  });

  it('leaves no part of a token that is cut by the truncation', () => {
    expect(loggable(`${'x'.repeat(190)} ${TOKEN}`)).not.toContain('eyJ');
  });
});

describe('describeError', () => {
  it('joins the messages of an error and its causes, with their codes', () => {
    const reset = Object.assign(new Error('read failed'), { code: 'ECONNRESET' });
    const error = new Error('no answer', { cause: new Error('', { cause: reset }) });
    expect(describeError(error)).toBe('no answer: read failed (ECONNRESET)');
  });

  it('does not repeat a code that the message contains', async () => {
    const missing: unknown = await readFile('/nowhere/token').catch((error: unknown) => error);
    expect(describeError(missing)).toBe("ENOENT: no such file or directory, open '/nowhere/token'");
  });

  it('names a code once, however many errors have it', () => {
    const withCode = (message: string, cause?: Error) =>
      Object.assign(new Error(message, { cause }), { code: 'ERR_SOME' });
    expect(describeError(withCode('a', withCode('b', withCode('c'))))).toBe('a (ERR_SOME): b: c');
  });

  it('stops after four causes, so that circular causes end', () => {
    const error = new Error('again');
    error.cause = error;
    expect(describeError(error)).toBe('again: again: again: again');
  });

  it('removes tokens', () => {
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
