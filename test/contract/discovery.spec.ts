import { createHash, createPublicKey, type JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partOf, REFUSED_CREDENTIAL, refused, visible } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

const DISCOVERY = '/.well-known/openid-configuration';
const JWKS = '/openid/v1/jwks';
const JWK_SET = 'application/jwk-set+json';
const TYPES: readonly (readonly [string, string])[] = [
  [DISCOVERY, 'application/json'],
  [JWKS, JWK_SET],
];

describe.each(TARGETS)('discovery of %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let token: string;

  beforeAll(async () => {
    ({ sandbox, token } = await Sandbox.openAsCheckout(openTarget));
  }, 60_000);

  afterAll(() => sandbox.close());

  const ask = (path: string, accept?: string) =>
    sandbox.api.ask('GET', path, { as: { token }, ...(accept && { headers: { accept } }) });
  const headersOf = (type: string) => ({ 'content-type': type, 'cache-control': 'public, max-age=3600' });

  it('describes the issuer in five members', async () => {
    const answer = await ask(DISCOVERY);
    const { alg } = partOf(token, 0);
    expect(visible(answer)).toEqual({
      status: 200,
      headers: headersOf('application/json'),
      body: {
        issuer: partOf(token, 1).iss,
        jwks_uri: expect.stringMatching(/^https:\/\/.*\/openid\/v1\/jwks$/),
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: expect.arrayContaining([alg]),
      },
    });
  });

  it('publishes keys whose "kid" is the SHA-256 of their DER, the one that signs among them', async () => {
    const answer = await ask(JWKS);
    const { alg, kid } = partOf(token, 0);
    const keys = answer.body.keys as (JsonWebKey & { kid: string })[];
    expect(visible(answer)).toEqual({ status: 200, headers: headersOf(JWK_SET), body: { keys } });
    expect(keys).toContainEqual(expect.objectContaining({ use: 'sig', alg, kid }));
    for (const key of keys) {
      const der = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' });
      expect(key.kid).toBe(createHash('sha256').update(der).digest('base64url'));
      const own = key.kty === 'RSA' ? ['n', 'e'] : ['crv', 'x', 'y'];
      expect(Object.keys(key).sort()).toEqual([...own, 'alg', 'kid', 'kty', 'use'].sort());
    }
  });

  it.each(TYPES)('%s is also served with a slash at its end', async (path, type) => {
    const answer = await ask(`${path}/`);
    expect(visible(answer)).toMatchObject({ status: 200, headers: headersOf(type) });
    expect(answer.text).toBe((await ask(path)).text);
  });

  it.each(TYPES)('%s (%s) is for ServiceAccounts, not for anonymous callers', async (path, _type) => {
    expect(visible(await sandbox.api.ask('GET', path, { as: 'nobody' }))).toEqual(
      refused({
        code: 403,
        reason: 'Forbidden',
        message: `forbidden: User "system:anonymous" cannot get path "${path}"`,
        details: {},
      }),
    );
  });

  it.each(TYPES)(
    '%s (%s) is 401 with an invalid credential and with a token for another audience',
    async (path, _type) => {
      const foreign = await sandbox.tokenOf('checkout', { audiences: ['orders'] });
      for (const credential of ['x.y.z', foreign]) {
        const answer = await sandbox.api.ask('GET', path, { as: { token: credential } });
        expect(visible(answer)).toEqual(REFUSED_CREDENTIAL);
      }
    },
  );

  it.each([
    [DISCOVERY, 'application/json'],
    [DISCOVERY, '*/*'],
    [DISCOVERY, 'text/html, application/json;q=0.9'],
    [JWKS, JWK_SET],
    [JWKS, '*/*'],
    [JWKS, `application/json, ${JWK_SET}`],
  ])('%s is served to clients that accept %s', async (path, accept) => {
    expect((await ask(path, accept)).status).toBe(200);
  });

  it.each([
    [DISCOVERY, JWK_SET, 'application/json'],
    [DISCOVERY, 'application/*', 'application/json'],
    [JWKS, 'application/json', JWK_SET],
    [JWKS, 'application/*', JWK_SET],
  ])('%s is 406 for clients that accept only %s', async (path, accept, type) => {
    expect(visible(await ask(path, accept))).toEqual(
      refused({
        code: 406,
        reason: 'NotAcceptable',
        message: `406: Not Acceptable\n\nAvailable representations: ${type}`,
        details: {},
      }),
    );
  });
});
