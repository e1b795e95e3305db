import { describe, expect, it } from '@jest/globals';
import { audiencesNamedBy, audiencesOf, numericDateMs, readUnverifiedClaims } from './jwt-claims.js';

function tokenOf(payload: string | Buffer): string {
  return `aGVhZGVy.${Buffer.from(payload).toString('base64url')}.c2ln`;
}

describe('readUnverifiedClaims', () => {
  it('returns only the known claims', () => {
    const claims = readUnverifiedClaims(
      tokenOf('{"iss":"i","aud":"a","exp":1,"email":"x@y","kubernetes.io":{}}'),
    );
    expect({ ...claims }).toEqual({ iss: 'i', aud: 'a', exp: 1, 'kubernetes.io': {} });
  });

  it.each([
    ['no parts', 'token'],
    ['two parts', 'a.b'],
    ['four parts', 'a.e30.c.d'],
    ['an empty signature', 'a.e30.'],
    ['padding', 'a.e30=.c'],
    ['white space', 'a.e30.c\n'],
    ['a payload that is no JSON', tokenOf('{')],
    ['a payload that is null', tokenOf('null')],
    ['a payload that is a list', tokenOf('[]')],
    ['a payload that is text', tokenOf('"text"')],
  ])('returns undefined for %s', (_name, token) => {
    expect(readUnverifiedClaims(token)).toBeUndefined();
  });

  it('ignores prototypes, also one that the token contains', () => {
    const claims = readUnverifiedClaims(tokenOf('{"__proto__":{"exp":9e9},"sub":"s"}'));
    expect(claims?.exp).toBeUndefined();
    expect(claims?.sub).toBe('s');
    expect(Object.getPrototypeOf(claims)).toBeNull();
  });
});

describe('audiencesOf', () => {
  it.each([
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[], []],
    [undefined, undefined],
    [['a', 1], undefined],
    [{ 0: 'a' }, undefined],
    [1, undefined],
  ])('reads %j as %j', (aud, expected) => {
    expect(audiencesOf({ aud })).toEqual(expected);
  });
});

describe('audiencesNamedBy', () => {
  it.each([
    [{ iss: 'i', aud: 'a' }, ['i', 'a']],
    [{ iss: 'i', aud: ['a', 'b'] }, ['i', 'a', 'b']],
    [{ iss: 'i' }, ['i']],
    [{ iss: 'i', aud: 'i' }, ['i']],
    [{ aud: ['a'] }, ['a']],
    [{ iss: 1, aud: 1 }, []],
  ])('reads from %j the audiences %j', (claims, expected) => {
    expect(audiencesNamedBy(claims)).toEqual(expected);
  });
});

describe('numericDateMs', () => {
  it.each([
    [1.5, 1_500],
    [0, 0],
    [Infinity, undefined],
    [NaN, undefined],
    ['1', undefined],
    [undefined, undefined],
  ])('reads %p as %p', (value, expected) => {
    expect(numericDateMs(value)).toBe(expected);
  });
});
