import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError, MalformedCredentialsError, MissingTokenError } from '../../errors.js';
import {
  checkBearerSyntax,
  readBearerToken as readUncheckedToken,
  removeAuthorization,
} from './bearer-token.js';

function requestWith(...values: string[]) {
  return {
    headers: { ...(values.length > 0 && { authorization: values[0] }), accept: '*/*' },
    rawHeaders: ['Accept', '*/*', ...values.flatMap((value) => ['authorization', value])],
  };
}

/** As the guard does for a token that is refused. */
function readBearerToken(request: unknown, maxTokenBytes: number): string {
  const token = readUncheckedToken(request, maxTokenBytes);
  checkBearerSyntax(token);
  return token;
}

describe('readBearerToken', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER    abc', 'abc'],
    ['Bearer a-b.c_d~e+f/g09AZ==', 'a-b.c_d~e+f/g09AZ=='],
    ['Bearer bearer', 'bearer'],
  ])('reads %j', (header, token) => {
    expect(readBearerToken(requestWith(header), 8192)).toBe(token);
  });

  it.each([
    '',
    ' ',
    '=',
    '"Bearer" abc',
    'Basic YTpi',
    'Bearerabc',
    'Bearer-abc',
    'Negotiate',
    ' Bearer abc',
  ])('finds no bearer credentials in %j', (header) => {
    expect(() => readBearerToken(requestWith(header), 8192)).toThrow(
      expect.objectContaining({ code: 'ERR_K8S_AUTH_TOKEN_MISSING' }),
    );
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer\tabc',
    'Bearer \tabc',
    'Bearer abc ',
    'Bearer abc def',
    'Bearer abc, Bearer def',
    'Bearer,abc',
    'Bearer =',
    'Bearer ab=c',
    'Bearer "abc"',
    'Bearer token=abc',
    'Bearer abc\n',
    'Bearer abc\u0000',
    'Bearer аbc',
    'Bearer é',
    'bearer:abc',
  ])('calls %j malformed', (header) => {
    expect(() => readBearerToken(requestWith(header), 8192)).toThrow(MalformedCredentialsError);
  });

  it('throws if there is no header, no request or no HTTP', () => {
    for (const request of [requestWith(), {}, undefined, null, 'Bearer abc', { headers: null }]) {
      expect(() => readBearerToken(request, 8192)).toThrow(MissingTokenError);
    }
  });

  it.each(['authorization', 'Authorization', 'AUTHORIZATION'])('refuses a second header named %s', (name) => {
    const request = requestWith('Bearer abc');
    request.rawHeaders.push(name, 'Bearer def');
    expect(() => readBearerToken(request, 8192)).toThrow(
      expect.objectContaining({ code: 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED' }),
    );
  });

  it('accepts other headers whose value is "authorization"', () => {
    const request = requestWith('Bearer abc');
    request.rawHeaders.push('X-Name', 'authorization', 'X-Other', 'Authorization');
    expect(readBearerToken(request, 8192)).toBe('abc');
  });

  it('reads requests without rawHeaders, and header values that are lists', () => {
    expect(readBearerToken({ headers: { authorization: 'Bearer abc' } }, 8192)).toBe('abc');
    expect(readBearerToken({ headers: { authorization: ['Bearer abc'] } }, 8192)).toBe('abc');
    expect(() => readBearerToken({ headers: { authorization: [] } }, 8192)).toThrow(MissingTokenError);
    expect(() => readBearerToken({ headers: { authorization: ['Bearer a', 'Bearer b'] } }, 8192)).toThrow(
      MalformedCredentialsError,
    );
  });

  it("reads Fastify's Node request, not its wrapper", () => {
    const raw = requestWith('Bearer abc');
    expect(readBearerToken({ headers: { authorization: 'Bearer forged' }, raw }, 8192)).toBe('abc');
  });

  it('ignores a raw body on an Express request', () => {
    expect(readBearerToken({ ...requestWith('Bearer abc'), raw: Buffer.from('{}') }, 8192)).toBe('abc');
    expect(
      readBearerToken(
        { ...requestWith('Bearer abc'), raw: { headers: { authorization: 'Bearer x' } } },
        8192,
      ),
    ).toBe('abc');
  });

  it('accepts a token of the maximum length, and refuses a longer token', () => {
    expect(readBearerToken(requestWith(`Bearer ${'a'.repeat(100)}`), 100)).toHaveLength(100);
    const tooLong = () => readBearerToken(requestWith(`Bearer ${'a'.repeat(101)}`), 100);
    expect(tooLong).toThrow(InvalidTokenError);
    expect(tooLong).toThrow(expect.objectContaining({ code: 'ERR_K8S_AUTH_TOKEN_MALFORMED' }));
  });
});

describe('removeAuthorization', () => {
  it('removes the header from every view, and keeps the other headers', () => {
    const rawHeaders = ['Host', 'x', 'AUTHORIZATION', 'Bearer abc', 'Accept', 'authorization'];
    const request = {
      headers: { host: 'x', authorization: 'Bearer abc', accept: 'authorization' },
      headersDistinct: { host: ['x'], authorization: ['Bearer abc'] },
      rawHeaders,
    };
    removeAuthorization(request);
    expect(request).toEqual({
      headers: { host: 'x', accept: 'authorization' },
      headersDistinct: { host: ['x'] },
      rawHeaders: ['Host', 'x', 'Accept', 'authorization'],
    });
    expect(request.rawHeaders).toBe(rawHeaders);
  });

  it('accepts requests without some of the views', () => {
    const bare = { headers: { authorization: 'Bearer abc' } };
    removeAuthorization(bare);
    expect(bare).toEqual({ headers: {} });
    expect(() => removeAuthorization(undefined)).not.toThrow();
  });
});
