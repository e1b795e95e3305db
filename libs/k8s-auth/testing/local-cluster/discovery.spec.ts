import { createHash, createPublicKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';

const METADATA = '/.well-known/openid-configuration';
const JWKS = '/openid/v1/jwks';
const ACCOUNT = { namespace: 'default', serviceAccount: 'default' };

type Jwks = Parameters<typeof createLocalJWKSet>[0];

describe('issuer discovery', () => {
  let cluster: LocalCluster;
  let client: ApiClient;
  let token: string;

  beforeEach(async () => {
    cluster = await LocalCluster.start();
    client = new ApiClient(cluster);
    token = await cluster.createToken(ACCOUNT);
  });

  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  const fetchJwks = async () => JSON.parse((await client.ask('GET', JWKS, { token })).text) as Jwks;

  async function isGood(candidate: string): Promise<boolean> {
    const keys = createLocalJWKSet(await fetchJwks());
    return jwtVerify(candidate, keys).then(
      () => true,
      () => false,
    );
  }

  it('names the issuer, and a jwks_uri at the server’s own address', async () => {
    const { status, headers, text } = await client.ask('GET', METADATA, { token });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=3600',
    });
    expect(JSON.parse(text)).toEqual({
      issuer: cluster.issuer,
      jwks_uri: `${cluster.url}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  });

  it('publishes the key, its kid computed from its DER form', async () => {
    const { headers } = await client.ask('GET', JWKS, { token });
    expect(headers).toMatchObject({
      'content-type': 'application/jwk-set+json',
      'cache-control': 'public, max-age=3600',
    });
    const { keys } = await fetchJwks();
    const der = createPublicKey(cluster.publicKeysPem()).export({ type: 'spki', format: 'der' });
    const kid = createHash('sha256').update(der).digest('base64url');
    expect(keys).toEqual([{ use: 'sig', kty: 'RSA', kid, alg: 'RS256', n: expect.any(String), e: 'AQAB' }]);
    expect(await isGood(token)).toBe(true);
  });

  it.each([
    ['*/*', 200],
    ['application/jwk-set+json', 200],
    ['application/json, application/jwk-set+json;q=0.9', 200],
    ['application/json', 406],
    ['application/*', 406],
  ])('answers a request for keys that accepts %s with %d', async (accept, status) => {
    const answered = await client.ask('GET', JWKS, { token, headers: { accept } });
    expect(answered.status).toBe(status);
  });

  it('explains a 406 in a Status object', async () => {
    const answered = await client.ask('GET', METADATA, { token, headers: { accept: 'text/html' } });
    expect(answered.json()).toMatchObject({
      code: 406,
      reason: 'NotAcceptable',
      message: '406: Not Acceptable\n\nAvailable representations: application/json',
    });
  });

  it.each([METADATA, JWKS])('takes %s with a slash at its end', async (path) => {
    expect((await client.ask('GET', `${path}/`, { token })).text).toBe(
      (await client.ask('GET', path, { token })).text,
    );
  });

  it('is 403 for anonymous callers, and 401 for invalid tokens and tokens for another audience', async () => {
    const other = await cluster.createToken({ ...ACCOUNT, audiences: ['orders'] });
    const forged = await cluster.createToken({ ...ACCOUNT, header: { alg: 'none' } });
    for (const path of [METADATA, JWKS]) {
      const anonymous = await client.ask('GET', path);
      expect(anonymous.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
      expect(anonymous.json()).toMatchObject({
        code: 403,
        message: `forbidden: User "system:anonymous" cannot get path "${path}"`,
      });
      expect((await client.ask('GET', path, { token: other })).status).toBe(401);
      expect((await client.ask('GET', path, { token: forged })).status).toBe(401);
    }
  });

  it('publishes the old key before the new one while keys overlap', async () => {
    const kid = await cluster.rotateSigningKey({ keepOld: true, algorithm: 'ES256' });
    const fresh = await cluster.createToken(ACCOUNT);
    const { keys } = await fetchJwks();
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256']);
    expect(keys[1]).toMatchObject({ kid, kty: 'EC', crv: 'P-256' });
    expect([await isGood(token), await isGood(fresh)]).toEqual([true, true]);
    const metadata = (await client.ask('GET', METADATA, { token })).json();
    expect(metadata.id_token_signing_alg_values_supported).toEqual(['ES256', 'RS256']);
    expect(cluster.publicKeysPem().match(/BEGIN PUBLIC KEY/g)).toHaveLength(2);
  });

  it('drops the old key at the end of an overlap', async () => {
    await cluster.rotateSigningKey({ keepOld: true });
    const old = token;
    token = await cluster.createToken(ACCOUNT);
    cluster.dropOldKeys();
    expect([await isGood(old), await isGood(token)]).toEqual([false, true]);
  });

  it('refuses every old token after a sudden rotation, the reviewer’s own too', async () => {
    await cluster.rotateSigningKey({ keepOld: false });
    expect((await client.ask('GET', JWKS, { token })).status).toBe(401);
    token = await cluster.createToken(ACCOUNT);
    expect((await fetchJwks()).keys).toHaveLength(1);
  });

  it('publishes a key before it signs', async () => {
    const kid = await cluster.publishKey();
    const kidOf = (made: string) =>
      (JSON.parse(Buffer.from(made.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
    expect((await fetchJwks()).keys.map((key) => key.kid)).toContain(kid);
    expect(kidOf(await cluster.createToken(ACCOUNT))).not.toBe(kid);
    cluster.signWith(kid);
    expect(kidOf(await cluster.createToken(ACCOUNT))).toBe(kid);
    expect(() => cluster.signWith('unknown')).toThrow('key "unknown" is not published');
  });
});
