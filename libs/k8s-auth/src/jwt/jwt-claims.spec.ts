import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError } from '../errors.js';
import { checkIssuer, checkTimes, matchAudiences } from './jwt-claims.js';
import { type JsonObject } from './compact-jws.js';

const NOW_MS = Date.UTC(2030, 0, 1);
const NOW = NOW_MS / 1000;
const TOLERANCE = 30;

function times(claims: JsonObject, clockToleranceMs = TOLERANCE * 1000) {
  return checkTimes(claims, { nowMs: NOW_MS, clockToleranceMs });
}

function reasonOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (error instanceof InvalidTokenError) return error.reason;
    throw error;
  }
  return 'accepted';
}

describe('checkTimes', () => {
  it('returns the times in milliseconds', () => {
    expect(times({ exp: NOW + 1, nbf: NOW, iat: NOW - 0.5 })).toEqual({
      expiresAtMs: NOW_MS + 1000,
      issuedAtMs: NOW_MS - 500,
    });
    expect(times({})).toEqual({ expiresAtMs: undefined, issuedAtMs: undefined });
  });

  it.each([
    ['exp within the tolerance', { exp: NOW - TOLERANCE + 0.001 }, 'accepted'],
    ['exp at the end of the tolerance', { exp: NOW - TOLERANCE }, 'EXPIRED'],
    ['exp long ago', { exp: 0 }, 'EXPIRED'],
    ['nbf within the tolerance', { nbf: NOW + TOLERANCE }, 'accepted'],
    ['nbf beyond the tolerance', { nbf: NOW + TOLERANCE + 0.001 }, 'NOT_YET_VALID'],
    ['iat within the tolerance', { iat: NOW + TOLERANCE }, 'accepted'],
    ['iat beyond the tolerance', { iat: NOW + TOLERANCE + 0.001 }, 'NOT_YET_VALID'],
    ['the longest life there is', { exp: NOW + 2 ** 32 }, 'accepted'],
    ['exp further ahead than any life', { exp: NOW + 2 ** 32 + TOLERANCE + 1 }, 'MALFORMED'],
    ['exp in milliseconds', { exp: NOW_MS + 60_000 }, 'MALFORMED'],
    ['exp beyond 64 bits', { exp: 2 ** 63 }, 'MALFORMED'],
    ['exp 1e300', { exp: 1e300 }, 'MALFORMED'],
    ['exp 1e308', { exp: 1e308 }, 'MALFORMED'],
    ['nbf 1e300', { nbf: 1e300 }, 'NOT_YET_VALID'],
    ['iat 1e300', { iat: 1e300 }, 'NOT_YET_VALID'],
  ])('%s: %s %s', (_, claims, reason) => {
    expect(reasonOf(() => times(claims))).toBe(reason);
  });

  it.each(['exp', 'nbf', 'iat'])('accepts only a finite number for %s', (name) => {
    for (const value of [Infinity, -1, NaN, null, '1', [NOW], { seconds: NOW }, true]) {
      expect(reasonOf(() => times({ exp: NOW + 60, [name]: value }))).toBe('MALFORMED');
    }
  });

  it.each([
    [
      { exp: NOW - 60 },
      '"exp" claim: expected a time in the future, got 2029-12-31T23:59:00.000Z, our time is 2030-01-01T00:00:00.000Z',
    ],
    [
      { nbf: NOW + 60 },
      '"nbf" claim: expected a time in the past, got 2030-01-01T00:01:00.000Z, our time is 2030-01-01T00:00:00.000Z',
    ],
    [
      { iat: NOW + 60.5 },
      '"iat" claim: expected a time in the past, got 2030-01-01T00:01:00.500Z, our time is 2030-01-01T00:00:00.000Z',
    ],
    [
      { nbf: 1e300 },
      '"nbf" claim: expected a time in the past, got 1e+300 s, our time is 2030-01-01T00:00:00.000Z',
    ],
  ])('states the time in the claim and our time for %j', (claims, message) => {
    expect(() => times(claims)).toThrow(message);
  });

  it('allows no difference with a tolerance of 0', () => {
    expect(reasonOf(() => times({ exp: NOW }, 0))).toBe('EXPIRED');
    expect(reasonOf(() => times({ exp: NOW + 1, nbf: NOW, iat: NOW }, 0))).toBe('accepted');
    expect(reasonOf(() => times({ nbf: NOW + 1 }, 0))).toBe('NOT_YET_VALID');
  });
});

describe('checkIssuer', () => {
  const issuers = ['https://issuer.example', 'https://old.example'];

  it.each(issuers)('returns %s, which is a configured issuer', (iss) => {
    expect(checkIssuer({ iss }, issuers)).toBe(iss);
  });

  it.each([
    'https://issuer.example/',
    'HTTPS://issuer.example',
    'https://issuer.exampl',
    'https://issuer.example.evil',
    '',
    undefined,
    ['https://issuer.example'],
  ])('rejects the issuer %j', (iss) => {
    expect(reasonOf(() => checkIssuer({ iss }, issuers))).toBe('ISSUER');
  });

  it('states the expected issuer before the actual issuer', () => {
    expect(() => checkIssuer({ iss: 'other' }, ['mine'])).toThrow('"iss" claim: expected mine, got other');
    expect(() => checkIssuer({}, ['mine'])).toThrow('"iss" claim: expected mine, got none');
  });
});

describe('matchAudiences', () => {
  it.each([
    ['a string', 'orders', ['orders']],
    ['a list', ['x', 'orders'], ['orders']],
    ['several, in the order asked', ['orders', 'billing'], ['billing', 'orders']],
  ])('accepts %s', (_, aud, matched) => {
    expect(matchAudiences({ aud }, ['billing', 'orders'])).toEqual(matched);
  });

  it.each([
    ['another', 'other', 'AUDIENCE'],
    ['a longer one', 'orders2', 'AUDIENCE'],
    ['another case', 'Orders', 'AUDIENCE'],
    ['an empty list', [], 'AUDIENCE'],
    ['none', undefined, 'AUDIENCE'],
    ['an object', { orders: true }, 'MALFORMED'],
    ['a list with a number', ['orders', 1], 'MALFORMED'],
    ['a list in a list', [['orders']], 'MALFORMED'],
  ])('rejects %s', (_, aud, reason) => {
    expect(reasonOf(() => matchAudiences(aud === undefined ? {} : { aud }, ['orders']))).toBe(reason);
  });

  it.each([
    ['the issuer', { iss: 'https://issuer.example', aud: ['https://issuer.example', 'k3s'] }],
    ['the API server of kubeadm', { iss: 'x', aud: ['https://kubernetes.default.svc.cluster.local'] }],
    ['the API server of EKS', { iss: 'x', aud: 'https://kubernetes.default.svc' }],
  ])("adds the hint that a token issued for %s is the pod's API token", (_, claims) => {
    expect(() => matchAudiences(claims, ['orders'])).toThrow(
      /^"aud" claim: expected orders, got https:.*; this is the pod's token for the Kubernetes API; mount a projected token for this service$/,
    );
  });

  it.each([{ iss: 'https://issuer.example', aud: 'other' }, { aud: 'other' }, { iss: 5, aud: [] }, {}])(
    'does not say so of %j',
    (claims) => {
      expect(() => matchAudiences(claims, ['orders'])).toThrow(/^"aud" claim: expected orders, got \w+$/);
    },
  );

  it('keeps the hint within the length of a log line', () => {
    const aud = ['https://kubernetes.default.svc', 'x'.repeat(5_000)];
    const refusal = () => matchAudiences({ aud }, ['orders']);
    expect(refusal).toThrow(/mount a projected token for this service$/);
    expect(refusal).toThrow(/^.{1,300}$/);
  });

  it('does not show a token that is in the place of an audience', () => {
    expect(() => matchAudiences({ aud: 'eyJhbGciOi.eyJpc3Mi.c2ln' }, ['orders'])).toThrow(
      '"aud" claim: expected orders, got [token]',
    );
    expect(() => matchAudiences({}, ['orders'])).toThrow('got none');
  });
});
