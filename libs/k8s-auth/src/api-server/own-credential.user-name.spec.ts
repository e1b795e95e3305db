import { describe, expect, it } from '@jest/globals';
import { FileCredential, readOwnUserName } from './own-credential.js';

const NAMELESS = 'the user of our own credential';

describe('readOwnUserName', () => {
  it('is the subject of our own token', async () => {
    const sub = 'system:serviceaccount:shop:checkout';
    expect(await readOwnUserName({ ownClaims: () => Promise.resolve({ sub }) })).toBe(sub);
  });

  it.each<[string, () => Promise<Record<string, unknown> | undefined>]>([
    ['is not a JWT', () => Promise.resolve(undefined)],
    ['cannot be read', () => Promise.reject(new Error('away'))],
    ['names nobody', () => Promise.resolve({})],
    ['names a number', () => Promise.resolve({ sub: 7 })],
    ['has a name that could forge a line of a log', () => Promise.resolve({ sub: 'a\nb' })],
    ['has a name that is too long', () => Promise.resolve({ sub: 'a'.repeat(351) })],
  ])('names nobody if our own token %s', async (_, ownClaims) => {
    expect(await readOwnUserName({ ownClaims })).toBe(NAMELESS);
  });
});

describe('the credential in a token file', () => {
  it('is renewed after a request without a token was refused, if the file contains one now', async () => {
    let content: string | undefined = 'new';
    const source = {
      current: () => undefined,
      getToken: () => Promise.resolve('new'),
      renew: (rejected: string) => Promise.resolve(rejected === content ? undefined : content),
    };
    const credential = new FileCredential(source);
    expect(await credential.renew({})).toBe(true);
    expect(await credential.renew({ token: 'new' })).toBe(false);
    content = undefined;
    expect(await credential.renew({})).toBe(false);
  });
});
