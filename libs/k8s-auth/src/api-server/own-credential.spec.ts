import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import {
  KubeconfigCredential,
  FileCredential,
  type CredentialValue,
  type TokenSource,
} from './own-credential.js';

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
    await expect(credential.renew({ token: 'old' })).resolves.toBe(true);
    await expect(credential.renew({ token: JWT })).resolves.toBe(false);
  });

  it('says what the token says of itself', async () => {
    const credential = new FileCredential(source(undefined));
    await expect(credential.claims()).resolves.toMatchObject({ iss: 'https://issuer.example' });
  });
});

describe('KubeconfigCredential', () => {
  const giving = (given: CredentialValue) => new KubeconfigCredential(() => Promise.resolve(given));
  const certificate = { cert: 'certificate', key: 'key' };

  it('trims what it is given', async () => {
    const credential = giving({ token: ` ${JWT}\n` });
    await expect(credential.token()).resolves.toBe(JWT);
    await expect(credential.claims()).resolves.toMatchObject({ iss: 'https://issuer.example' });
  });

  it.each(['opaque', 'kubeconfig-user-x:secret', 'sha256~A_b-c', 'two words', 'ä', '{"a": "b"}'])(
    'takes %j, which is not a JWT, and reads no claims from it',
    async (token) => {
      const credential = giving({ token });
      await expect(credential.token()).resolves.toBe(token);
      await expect(credential.claims()).resolves.toBeUndefined();
    },
  );

  it.each([
    undefined,
    '',
    ' \n',
    'a\nb',
    'a\tb',
    'a\u0000b',
    'a\u007fb',
    'a\u0085b',
    '\u20ac',
    '\ud83d\ude00',
  ])('refuses %j, which no header can carry, instead of asking anonymously', async (token) => {
    const credential = giving({ token });
    await expect(credential.token()).rejects.toThrow(
      'own credential is empty, or cannot be sent in a header',
    );
  });

  it('needs no token where there is a client certificate', async () => {
    const credential = giving({ certificate });
    await expect(credential.token()).resolves.toBeUndefined();
    await expect(credential.claims()).resolves.toBeUndefined();
    expect(credential.clientCertificate()).toBe(certificate);
    await expect(giving({ certificate, token: '' }).token()).rejects.toThrow('own credential');
  });

  it('asks forceRefresh for one that was refused, once for all who ask', async () => {
    let asked = 0;
    const credential = new KubeconfigCredential((forceRefresh) => {
      asked++;
      return Promise.resolve({ token: forceRefresh ? 'new' : 'old' });
    });
    await expect(
      Promise.all([credential.renew({ token: 'old' }), credential.renew({ token: 'old' })]),
    ).resolves.toEqual([true, true]);
    expect(asked).toBe(1);
    await expect(credential.renew({ token: 'new' })).resolves.toBe(false);
  });

  it('does not ask for a call that was refused with an older one', async () => {
    const newer = { ...certificate };
    const given = [{ certificate }, { certificate: newer }, { token: 'old' }, { token: 'new' }];
    let asked = 0;
    const credential = new KubeconfigCredential(() => Promise.resolve(given[asked++] ?? {}));
    await credential.token();
    await expect(credential.renew({ certificate })).resolves.toBe(true);
    for (let n = 0; n < 3; n++) await expect(credential.renew({ certificate })).resolves.toBe(true);
    expect(asked).toBe(2);
    await credential.token();
    await expect(credential.renew({ token: 'old' })).resolves.toBe(true);
    await expect(credential.renew({ token: 'old' })).resolves.toBe(true);
    expect(asked).toBe(4);
  });

  it('counts another client certificate as another credential', async () => {
    const given = [certificate, certificate, { ...certificate }];
    const credential = new KubeconfigCredential(() => Promise.resolve({ certificate: given.shift() }));
    await credential.token();
    await expect(credential.renew({ certificate })).resolves.toBe(false);
    await expect(credential.renew({ certificate })).resolves.toBe(true);
  });

  it('holds nothing that inspect or JSON would show', async () => {
    const credential = giving({ token: 'secret-token', certificate: { cert: 'c', key: 'secret-key' } });
    await credential.token();
    expect(inspect(credential, { depth: 10, showHidden: true }) + JSON.stringify(credential)).not.toContain(
      'secret',
    );
  });
});
