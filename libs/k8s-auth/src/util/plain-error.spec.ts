import { type AddressInfo, connect, createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { MissingTokenError } from '../errors.js';
import { PlainError, plainErrorOf } from './plain-error.js';

/** A port of loopback on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('plainErrorOf', () => {
  it('keeps only the name, the code and the text of an error', () => {
    const original = Object.assign(new TypeError('parse error'), {
      code: 'HPE_INVALID',
      rawPacket: 'secret',
    });
    const plain = plainErrorOf(original);
    expect(plain).toMatchObject({
      name: 'TypeError',
      code: 'HPE_INVALID',
      message: 'parse error (HPE_INVALID)',
    });
    expect(inspect(plain, { depth: 5 })).not.toContain('secret');
  });

  it('describes a host with several addresses by its first address', async () => {
    const port = await closedPort();
    const lookup = (_host: string, _options: object, done: (error: null, all: object[]) => void) =>
      done(
        null,
        ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 })),
      );
    const failure = await new Promise<Error>((resolve) =>
      connect({ host: 'orders.test', port, lookup: lookup as never, autoSelectFamily: true }).on(
        'error',
        resolve,
      ),
    );
    expect(failure.message).toBe('');
    expect(plainErrorOf(failure)).toMatchObject({
      code: 'ECONNREFUSED',
      message: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  it.each([
    [
      'a name or a code that could forge a line',
      Object.assign(new Error('x'), { name: 'a\nb', code: 'a b' }),
      'x (a b)',
    ],
    ['a number as the code', Object.assign(new Error('x'), { code: 7 }), 'x'],
    ['an aggregate without errors', new AggregateError([], 'all failed'), 'all failed'],
    ['a text', 'a secret text', 'unknown error'],
    ['nothing', undefined, 'unknown error'],
    ['null', null, 'unknown error'],
    ['an object without a name', Object.create(null), 'unknown error'],
  ])('is safe for %s', (_, thrown, message) => {
    const plain = plainErrorOf(thrown);
    expect(plain).toBeInstanceOf(PlainError);
    expect(plain.message).toBe(message);
    expect(plain.name).toMatch(/^(Aggregate)?Error$/);
    expect(plain.code).toBeUndefined();
  });

  it('returns errors of this library unchanged', () => {
    const own = new MissingTokenError('request has no bearer credentials');
    expect(plainErrorOf(own)).toBe(own);
    const plain = new PlainError('Error', 'known');
    expect(plainErrorOf(plain)).toBe(plain);
  });
});
