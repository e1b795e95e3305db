import { createPublicKey, createSecretKey, createVerify, constants, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../fake-clock.js';
import { LocalCluster } from './local-cluster.js';

const ACCOUNT = { namespace: 'default', serviceAccount: 'default' };

describe('forged tokens', () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ clock: new FakeClock() });
  });

  afterAll(() => cluster.close());

  const part = (token: string, index: number) =>
    Buffer.from(token.split('.')[index] ?? '', 'base64url').toString();
  const claimsOf = (token: string) => JSON.parse(part(token, 1)) as Record<string, unknown>;

  it('contain the given claims, merged deeply', async () => {
    const claims = { iss: 'https://other', nbf: undefined, 'kubernetes.io': { namespace: 'shop' } };
    const forged = claimsOf(await cluster.createToken({ ...ACCOUNT, claims }));
    expect(forged).toMatchObject({
      iss: 'https://other',
      sub: 'system:serviceaccount:default:default',
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'default' } },
    });
    expect(forged).not.toHaveProperty('nbf');
  });

  it('have the claims that a function computes from the real ones', async () => {
    const token = await cluster.createToken({
      ...ACCOUNT,
      claims: ({ iss, sub }) => ({ iss, sub, exp: 'soon' }),
    });
    expect(claimsOf(token)).toEqual({
      iss: cluster.issuer,
      sub: 'system:serviceaccount:default:default',
      exp: 'soon',
    });
  });

  it('have the payload text that a function returns, byte for byte', async () => {
    const payload = '{"exp":1,"exp":1e400}';
    expect(part(await cluster.createToken({ ...ACCOUNT, claims: () => payload }), 1)).toBe(payload);
  });

  it('have the given header', async () => {
    const token = await cluster.createToken({ ...ACCOUNT, header: { kid: undefined, typ: 'JWT' } });
    expect(JSON.parse(part(token, 0))).toEqual({ alg: 'RS256', typ: 'JWT' });
  });

  it.each([
    ['RS512', 'sha512', constants.RSA_PKCS1_PADDING],
    ['PS256', 'sha256', constants.RSA_PKCS1_PSS_PADDING],
    ['unheard-of', 'sha256', constants.RSA_PKCS1_PADDING],
  ])('are signed as %s when their header says so', async (alg, digest, padding) => {
    const token = await cluster.createToken({ ...ACCOUNT, header: { alg } });
    const [header, payload, signature = ''] = token.split('.');
    const verify = createVerify(digest).update(`${header}.${payload}`);
    const key = createPublicKey(cluster.publicKeysPem());
    expect(verify.verify({ key, padding }, signature, 'base64url')).toBe(true);
  });

  it('are unsigned, or signed with a secret', async () => {
    expect(await cluster.createToken({ ...ACCOUNT, header: { alg: 'none' } })).toMatch(/\.$/);
    const key = createSecretKey(Buffer.from('secret'));
    const token = await cluster.createToken({ ...ACCOUNT, header: { alg: 'HS256' }, key });
    const [header, payload, signature] = token.split('.');
    const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url');
    expect(signature).toBe(expected);
  });
});
