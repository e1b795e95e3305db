import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError } from '../../errors.js';
import { parseCompactJws } from '../../jwt/compact-jws.js';
import { checkBeforeReview } from './review.js';

const NOW_MS = Date.UTC(2030, 0, 1);
const NOW = NOW_MS / 1000;

function encode(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function tokenOf(payload: unknown, header: unknown = { alg: 'RS256' }, signature = 'c2ln'): string {
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

function reasonFor(token: string, audiences: readonly string[] = ['orders']): string {
  try {
    checkBeforeReview(parseCompactJws(token), audiences, NOW_MS);
    return 'goes to the API server';
  } catch (error) {
    return error instanceof InvalidTokenError ? error.reason : 'another error';
  }
}

describe('checkBeforeReview', () => {
  it.each([
    ['no JWT', 'opaque-token'],
    ['two parts', `${encode({ alg: 'RS256' })}.${encode({})}`],
    ['four parts', `${tokenOf({})}.c2ln`],
    ['no header', `.${encode({})}.c2ln`],
    ['no payload', `${encode({ alg: 'RS256' })}..c2ln`],
    ['no signature', tokenOf({}, { alg: 'none' }, '')],
    ['padding', `${tokenOf({})}=`],
    ['bits beyond the last byte', tokenOf({}, { alg: 'RS256' }, 'c2l')],
    ['a space', tokenOf({}).replace('.', '. ')],
    ['a header that is no JSON', tokenOf({}, 'RS256')],
    ['a header that is a list', tokenOf({}, ['RS256'])],
    ['a payload that is no JSON', tokenOf('{"exp":')],
    ['a payload that is a list', tokenOf([])],
    ['a payload that is null', tokenOf(null)],
    ['a byte order mark', tokenOf('\uFEFF{}')],
    ['a claim twice', tokenOf('{"exp":1,"exp":9999999999}')],
    ['an "exp" that is text', tokenOf({ exp: `${NOW + 60}` })],
    ['an "exp" that is null', tokenOf({ exp: null })],
    ['an "exp" that is infinite', tokenOf('{"exp":1e400}')],
    ['an "exp" that no date can be', tokenOf({ exp: 8.64e12 + 1 })],
    ['an "aud" that is a number', tokenOf({ aud: 7 })],
    ['an "aud" that is an object', tokenOf({ aud: { orders: true } })],
    ['an "aud" with a number in it', tokenOf({ aud: ['orders', 7] })],
  ])('keeps to itself what has %s', (_what, token) => expect(reasonFor(token)).toBe('MALFORMED'));

  it.each([
    ['EXPIRED', { exp: NOW }],
    ['EXPIRED', { exp: 0 }],
    ['EXPIRED', { exp: -1 }],
    ['EXPIRED', { exp: NOW - 1, aud: 'other' }],
    ['AUDIENCE', { aud: 'other' }],
    ['AUDIENCE', { aud: ['other', 'Orders', 'orders/'] }],
    ['AUDIENCE', { aud: [] }],
    ['AUDIENCE', { aud: '' }],
    ['AUDIENCE', { aud: null }],
  ])('refuses as %s: %j', (reason, claims) => expect(reasonFor(tokenOf(claims))).toBe(reason));

  it.each([
    {},
    { exp: NOW + 1 },
    { exp: NOW + 0.001, aud: 'orders' },
    { aud: ['other', 'orders'] },
    { nbf: NOW + 3600 },
    { iat: 'text', iss: 7 },
  ])('accepts claims that only the API server can check: %j', (claims) =>
    expect(reasonFor(tokenOf(claims))).toBe('goes to the API server'),
  );

  it('accepts a token with one of the required audiences', () => {
    expect(reasonFor(tokenOf({ aud: 'stock' }), ['orders', 'stock'])).toBe('goes to the API server');
  });

  it('returns the claims that the token states', () => {
    const claims = { iss: 'https://issuer.example', iat: NOW - 10, exp: NOW + 600 };
    expect(checkBeforeReview(parseCompactJws(tokenOf(claims)), ['orders'], NOW_MS)).toStrictEqual({
      issuer: 'https://issuer.example',
      issuedAtMs: NOW_MS - 10_000,
      expiresAtMs: NOW_MS + 600_000,
    });
    expect(
      checkBeforeReview(parseCompactJws(tokenOf({ iss: 7, iat: 1e300 })), ['orders'], NOW_MS),
    ).toStrictEqual({});
  });
});
