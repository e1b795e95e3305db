import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JSON_HEADERS, partOf, refused, TIME, UUID, visible } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

const TYPE = 'TokenRequest.authentication.k8s.io';

describe.each(TARGETS)('TokenRequest of %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let uid: string;

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    ({ uid } = await sandbox.createServiceAccount('checkout'));
  }, 60_000);

  afterAll(() => sandbox.close());

  const ask = (spec: object, serviceAccount = 'checkout') => sandbox.requestToken(serviceAccount, spec);

  it.each([
    ['the audiences asked for', { audiences: ['orders', 'stock'], expirationSeconds: 600 }],
    ['an hour, unless asked otherwise', { audiences: ['orders'] }],
  ])('grants %s', async (_, spec) => {
    const answer = await ask(spec);
    const granted = { expirationSeconds: 3600, ...spec };
    expect(visible(answer)).toEqual({
      status: 201,
      headers: JSON_HEADERS,
      body: {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: {
          name: 'checkout',
          namespace: sandbox.namespace,
          uid,
          creationTimestamp: expect.stringMatching(TIME),
        },
        spec: { ...granted, boundObjectRef: null },
        status: {
          token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
          expirationTimestamp: expect.stringMatching(TIME),
        },
      },
    });
    const { token, expirationTimestamp } = answer.body.status as Record<string, string>;
    const { exp, iat } = partOf(token ?? '', 1) as Record<string, number>;
    expect(Number(exp) - Number(iat)).toBe(granted.expirationSeconds);
    expect(Date.parse(expirationTimestamp ?? '')).toBe(Number(exp) * 1000);
  });

  it.each([
    ['no list of audiences', {}],
    ['an empty one', { audiences: [] }],
  ])('uses the API server’s own audiences for %s', async (_, spec) => {
    const { body } = await ask(spec);
    const { token } = body.status as { token: string };
    const { aud, iss } = partOf(token, 1);
    expect(aud).toEqual(expect.arrayContaining([iss]));
    expect(body.spec).toEqual({ audiences: aud, expirationSeconds: 3600, boundObjectRef: null });
  });

  it.each([
    [599, 'less than 10 minutes'],
    [0, 'less than 10 minutes'],
    [2 ** 32 + 1, 'larger than 2^32 seconds'],
  ])('refuses a life of %d s', async (expirationSeconds, limit) => {
    const message = `Invalid value: ${expirationSeconds}: may not specify a duration ${limit}`;
    const field = 'spec.expirationSeconds';
    expect(visible(await ask({ expirationSeconds }))).toEqual(
      refused({
        code: 422,
        reason: 'Invalid',
        message: `${TYPE} "" is invalid: ${field}: ${message}`,
        details: {
          group: 'authentication.k8s.io',
          kind: 'TokenRequest',
          causes: [{ reason: 'FieldValueInvalid', message, field }],
        },
      }),
    );
  });

  it.each([[600.5], ['600']])('refuses a life that is no integer: %j', async (expirationSeconds) => {
    expect(visible(await ask({ expirationSeconds }))).toEqual(
      refused({
        code: 400,
        reason: 'BadRequest',
        message: 'TokenRequest in version "v1" cannot be handled as a TokenRequest',
      }),
    );
  });

  it('is 404 for a ServiceAccount that does not exist', async () => {
    expect(visible(await ask({}, 'nobody'))).toEqual(
      refused({
        code: 404,
        reason: 'NotFound',
        message: 'serviceaccounts "nobody" not found',
        details: { name: 'nobody', kind: 'serviceaccounts' },
      }),
    );
  });

  it('is 403 for a ServiceAccount that asks for its own token', async () => {
    const token = await sandbox.tokenOf('checkout');
    const path = sandbox.path('serviceaccounts/checkout/token');
    const answer = await sandbox.api.ask('POST', path, { as: { token }, body: {} });
    expect(visible(answer)).toEqual(
      refused({
        code: 403,
        reason: 'Forbidden',
        message: `serviceaccounts "checkout" is forbidden: User "${sandbox.username('checkout')}" cannot create resource "serviceaccounts/token" in API group "" in the namespace "${sandbox.namespace}"`,
        details: { name: 'checkout', kind: 'serviceaccounts' },
      }),
    );
  });

  it('writes only the required members in header and claims', async () => {
    const token = await sandbox.tokenOf('checkout', { audiences: ['orders'] });
    const [header, claims] = [partOf(token, 0), partOf(token, 1)];
    expect(header).toEqual({
      alg: expect.stringMatching(/^(?:RS256|ES256|ES384|ES512)$/),
      kid: expect.any(String),
    });
    expect(claims).toEqual({
      aud: ['orders'],
      exp: Number(claims.iat) + 3600,
      iat: expect.any(Number),
      iss: expect.stringMatching(/^https:/),
      jti: expect.stringMatching(UUID),
      'kubernetes.io': {
        namespace: sandbox.namespace,
        serviceaccount: { name: 'checkout', uid },
      },
      nbf: claims.iat,
      sub: sandbox.username('checkout'),
    });
  });
});
