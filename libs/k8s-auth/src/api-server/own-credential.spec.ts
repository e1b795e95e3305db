import { describe, expect, it } from '@jest/globals';
import { type TokenSource } from '../shared/token-source.js';
import { AskedCredential, FileCredential } from './own-credential.js';

const JWT = `${part({ alg: 'ES256' })}.${part({ iss: 'https://issuer.example' })}.c2ln`;

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('FileCredential', () => {
  const source = (current: string | undefined): TokenSource => ({
    current: () => current,
    getToken: () => Promise.resolve(JWT),
    renew: (rejected) => Promise.resolve(rejected === JWT ? undefined : JWT),
  });

  it('takes what the source has at hand, else what it reads', async () => {
    await expect(new FileCredential(source('at-hand')).token()).resolves.toBe('at-hand');
    await expect(new FileCredential(source(undefined)).token()).resolves.toBe(JWT);
  });

  it('has the source read again for a token that was refused', async () => {
    const credential = new FileCredential(source(undefined));
    await expect(credential.renew('old')).resolves.toBe(JWT);
    await expect(credential.renew(JWT)).resolves.toBeUndefined();
  });

  it('says what the token says of itself', async () => {
    const credential = new FileCredential(source(undefined));
    await expect(credential.claims()).resolves.toMatchObject({ iss: 'https://issuer.example' });
  });
});

describe('AskedCredential', () => {
  it('trims what it is given', async () => {
    const credential = new AskedCredential(() => Promise.resolve(` ${JWT}\n`));
    await expect(credential.token()).resolves.toBe(JWT);
    await expect(credential.claims()).resolves.toMatchObject({ iss: 'https://issuer.example' });
  });

  it('may be no JWT, and then says nothing', async () => {
    const credential = new AskedCredential(() => Promise.resolve('opaque'));
    await expect(credential.token()).resolves.toBe('opaque');
    await expect(credential.claims()).resolves.toBeUndefined();
  });

  it.each([undefined, '', ' \n', 'two words', 'a\nb', 'ä'])('is never anonymous: %j', async (given) => {
    const credential = new AskedCredential(() => Promise.resolve(given));
    await expect(credential.token()).rejects.toThrow('own credential is no bearer token');
  });

  it('asks afresh for one that was refused, once for all who ask', async () => {
    let asked = 0;
    const credential = new AskedCredential((afresh) => {
      asked++;
      return Promise.resolve(afresh ? 'new' : 'old');
    });
    await expect(Promise.all([credential.renew('old'), credential.renew('old')])).resolves.toStrictEqual([
      'new',
      'new',
    ]);
    expect(asked).toBe(1);
    await expect(credential.renew('new')).resolves.toBeUndefined();
  });
});
