import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError, MalformedCredentialsError, MissingTokenError } from '../../errors.js';
import { readBearerToken, takeAuthorizationOff } from './bearer-token.js';

function requestWith(...values: string[]) {
  return {
    headers: { ...(values.length > 0 && { authorization: values[0] }), accept: '*/*' },
    rawHeaders: ['Accept', '*/*', ...values.flatMap((value) => ['authorization', value])],
  };
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

  it('knows none where there is no header, no request, or no HTTP', () => {
    for (const request of [requestWith(), {}, undefined, null, 'Bearer abc', { headers: null }]) {
      expect(() => readBearerToken(request, 8192)).toThrow(MissingTokenError);
    }
  });

  it.each(['authorization', 'Authorization', 'AUTHORIZATION'])('sees a second header named %s', (name) => {
    const request = requestWith('Bearer abc');
    request.rawHeaders.push(name, 'Bearer def');
    expect(() => readBearerToken(request, 8192)).toThrow(
      expect.objectContaining({ code: 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED' }),
    );
  });

  it('is not confused by values that read like the name', () => {
    const request = requestWith('Bearer abc');
    request.rawHeaders.push('X-Name', 'authorization', 'X-Other', 'Authorization');
    expect(readBearerToken(request, 8192)).toBe('abc');
  });

  it('works without rawHeaders, and with lists', () => {
    expect(readBearerToken({ headers: { authorization: 'Bearer abc' } }, 8192)).toBe('abc');
    expect(readBearerToken({ headers: { authorization: ['Bearer abc'] } }, 8192)).toBe('abc');
    expect(() => readBearerToken({ headers: { authorization: [] } }, 8192)).toThrow(MissingTokenError);
    expect(() => readBearerToken({ headers: { authorization: ['Bearer a', 'Bearer b'] } }, 8192)).toThrow(
      MalformedCredentialsError,
    );
  });

  it('reads the Node request behind a wrapper, not the wrapper', () => {
    const raw = requestWith('Bearer abc');
    expect(readBearerToken({ headers: { authorization: 'Bearer forged' }, raw }, 8192)).toBe('abc');
  });

  it('takes a raw body on an Express request for what it is', () => {
    expect(readBearerToken({ ...requestWith('Bearer abc'), raw: Buffer.from('{}') }, 8192)).toBe('abc');
    expect(
      readBearerToken(
        { ...requestWith('Bearer abc'), raw: { headers: { authorization: 'Bearer x' } } },
        8192,
      ),
    ).toBe('abc');
  });

  it('refuses a token above the limit, and takes one at it', () => {
    expect(readBearerToken(requestWith(`Bearer ${'a'.repeat(100)}`), 100)).toHaveLength(100);
    const tooLong = () => readBearerToken(requestWith(`Bearer ${'a'.repeat(101)}`), 100);
    expect(tooLong).toThrow(InvalidTokenError);
    expect(tooLong).toThrow(expect.objectContaining({ code: 'ERR_K8S_AUTH_TOKEN_MALFORMED' }));
  });
});

describe('takeAuthorizationOff', () => {
  it('leaves no view with the header, and all others as they were', () => {
    const rawHeaders = ['Host', 'x', 'AUTHORIZATION', 'Bearer abc', 'Accept', 'authorization'];
    const request = {
      headers: { host: 'x', authorization: 'Bearer abc', accept: 'authorization' },
      headersDistinct: { host: ['x'], authorization: ['Bearer abc'] },
      rawHeaders,
    };
    takeAuthorizationOff(request);
    expect(request).toEqual({
      headers: { host: 'x', accept: 'authorization' },
      headersDistinct: { host: ['x'] },
      rawHeaders: ['Host', 'x', 'Accept', 'authorization'],
    });
    expect(request.rawHeaders).toBe(rawHeaders);
  });

  it('works with what is there', () => {
    const bare = { headers: { authorization: 'Bearer abc' } };
    takeAuthorizationOff(bare);
    expect(bare).toEqual({ headers: {} });
    expect(() => takeAuthorizationOff(undefined)).not.toThrow();
  });
});
