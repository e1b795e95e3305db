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

  it('returns the current token of the source, or else reads the file', async () => {
    await expect(new FileCredential(source('at-hand')).token()).resolves.toBe('at-hand');
    await expect(new FileCredential(source(undefined)).token()).resolves.toBe(JWT);
  });

  it('makes the source read again after a token was refused', async () => {
    const credential = new FileCredential(source(undefined));
    await expect(credential.renew({ token: 'old' })).resolves.toBe(true);
    await expect(credential.renew({ token: JWT })).resolves.toBe(false);
  });

  it('returns the claims of the token', async () => {
    const credential = new FileCredential(source(undefined));
    await expect(credential.claims()).resolves.toMatchObject({ iss: 'https://issuer.example' });
  });
});

describe('KubeconfigCredential', () => {
  const credentialOf = (given: CredentialValue) => new KubeconfigCredential(() => Promise.resolve(given));
  const certificate = { cert: 'certificate', key: 'key' };

  it('trims the token', async () => {
    const credential = credentialOf({ token: ` ${JWT}\n` });
    await expect(credential.token()).resolves.toBe(JWT);
    await expect(credential.claims()).resolves.toMatchObject({ iss: 'https://issuer.example' });
  });

  it.each(['opaque', 'kubeconfig-user-x:secret', 'sha256~A_b-c', 'two words', 'ä', '{"a": "b"}'])(
    'accepts %j, which is not a JWT, and reads no claims from it',
    async (token) => {
      const credential = credentialOf({ token });
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
  ])('rejects %j, which cannot be sent in a header, and never calls anonymously', async (token) => {
    const credential = credentialOf({ token });
    await expect(credential.token()).rejects.toThrow(
      'own credential is empty, or cannot be sent in a header',
    );
  });

  it('needs no token if there is a client certificate', async () => {
    const credential = credentialOf({ certificate });
    await expect(credential.token()).resolves.toBeUndefined();
    await expect(credential.claims()).resolves.toBeUndefined();
    expect(credential.clientCertificate()).toBe(certificate);
    await expect(credentialOf({ certificate, token: '' }).token()).rejects.toThrow('own credential');
  });

  it('reads a new credential after one was refused, once for all callers', async () => {
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

  it('does not read again for a call that was refused with an older credential', async () => {
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

  it('treats another client certificate as another credential', async () => {
    const given = [certificate, certificate, { ...certificate }];
    const credential = new KubeconfigCredential(() => Promise.resolve({ certificate: given.shift() }));
    await credential.token();
    await expect(credential.renew({ certificate })).resolves.toBe(false);
    await expect(credential.renew({ certificate })).resolves.toBe(true);
  });

  it('does not expose its credential to inspect or JSON', async () => {
    const credential = credentialOf({ token: 'secret-token', certificate: { cert: 'c', key: 'secret-key' } });
    await credential.token();
    expect(inspect(credential, { depth: 10, showHidden: true }) + JSON.stringify(credential)).not.toContain(
      'secret',
    );
  });
});
