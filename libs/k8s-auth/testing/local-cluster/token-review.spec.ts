import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../fake-clock.js';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const CHECKOUT = { namespace: 'shop', serviceAccount: 'checkout' };

describe('TokenReview', () => {
  let cluster: LocalCluster;
  let client: ApiClient;
  let reviewer: string;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ clock: new FakeClock() });
    client = new ApiClient(cluster);
    await cluster.createServiceAccount('shop', 'checkout');
    await cluster.createServiceAccount('shop', 'reviewer');
    cluster.grant('create tokenreviews', 'shop/reviewer');
    reviewer = await cluster.createToken({ namespace: 'shop', serviceAccount: 'reviewer' });
  });

  afterAll(async () => {
    await client.close();
    await cluster.close();
  });

  it('accepts a token for a requested audience, and names its ServiceAccount', async () => {
    const { metadata } = await cluster.createServiceAccount('shop', 'checkout');
    const token = await cluster.createToken({ ...CHECKOUT, audiences: ['orders', 'stock'] });
    expect(await client.review(reviewer, token, ['stock', 'other'])).toEqual({
      authenticated: true,
      user: {
        username: 'system:serviceaccount:shop:checkout',
        uid: metadata.uid,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=[0-9a-f-]{36}$/)],
        },
      },
      audiences: ['stock'],
    });
  });

  it('names the pod and its node', async () => {
    const pod = await cluster.createPod('shop', 'checkout-1', { serviceAccount: 'checkout', node: 'node-7' });
    const token = await cluster.createToken({ ...CHECKOUT, pod: 'checkout-1' });
    const { user } = (await client.review(reviewer, token)) as { user: { extra: object } };
    expect(user.extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['checkout-1'],
      'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
      'authentication.kubernetes.io/node-name': ['node-7'],
      'authentication.kubernetes.io/node-uid': [expect.any(String)],
    });
  });

  it.each([
    ['left out', undefined],
    ['an empty list', []],
  ])('uses its own audiences when the requested audiences are %s', async (_, audiences) => {
    const own = await cluster.createToken(CHECKOUT);
    const other = await cluster.createToken({ ...CHECKOUT, audiences: ['orders'] });
    expect(await client.review(reviewer, own, audiences)).toMatchObject({
      authenticated: true,
      audiences: [ISSUER],
    });
    expect(await client.review(reviewer, other, audiences)).toEqual({
      user: {},
      error: `[invalid bearer token, token audiences ["orders"] is invalid for the target audiences ["${ISSUER}"]]`,
    });
  });

  it.each([
    ['rubbish', () => 'rubbish'],
    ['two parts', () => 'a.b'],
    ['parts that are not JSON', () => 'a.b.c'],
    ['a payload that is a list', () => cluster.createToken({ ...CHECKOUT, claims: () => '[]' })],
    ['a foreign issuer', () => cluster.createToken({ ...CHECKOUT, claims: { iss: 'https://elsewhere' } })],
  ])('gives no detail about an invalid token: %s', async (_, make) => {
    expect(await client.review(reviewer, await make())).toEqual({ user: {}, error: 'invalid bearer token' });
  });

  it.each([
    ['without a token', { spec: {} }, 400, /^token is required for TokenReview in authentication$/],
    [
      'with a token that is not a string',
      { spec: { token: 7 } },
      400,
      /^TokenReview in version "v1" cannot be handled as a TokenReview: .*"token" into a string$/,
    ],
    ['with audiences that are not a list', { spec: { token: 'x', audiences: 'y' } }, 400, /list of strings$/],
    [
      'with another spec',
      { spec: 'x' },
      400,
      /^TokenReview in version "v1" cannot be handled as a .*"spec" into an object$/,
    ],
    [
      'of another kind',
      { kind: 'TokenRequest' },
      400,
      /^TokenRequest in version "v1" cannot be handled as a TokenReview:/,
    ],
    [
      'of another version',
      { apiVersion: 'authentication.k8s.io/v2' },
      400,
      /^TokenReview in version "v2" cannot be/,
    ],
    ['that is a list', [], 400, /^the object provided is unrecognized \(must be of type TokenReview\)/],
    [
      'that is not JSON',
      '{"spec',
      400,
      /^the object provided is unrecognized \(must be of type TokenReview\)/,
    ],
  ])('refuses a body %s', async (_, body, code, message) => {
    const answered = await client.ask('POST', PATH, { token: reviewer, body });
    expect(answered.status).toBe(code);
    expect(answered.json()).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: expect.stringMatching(message),
      reason: 'BadRequest',
      code,
    });
  });

  it('accepts JSON only with its media type', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answered = await client.ask('POST', PATH, { token: reviewer, body: {}, headers });
    expect(answered.status).toBe(415);
    expect(answered.json().reason).toBe('UnsupportedMediaType');
  });

  it('is 401 for a reviewer with an invalid token, and 403 for a reviewer without the right or without credentials', async () => {
    const body = { spec: { token: 'x' } };
    const checkout = await cluster.createToken(CHECKOUT);
    const [bad, powerless, nobody] = [
      await client.ask('POST', PATH, { token: 'x.y.z', body }),
      await client.ask('POST', PATH, { token: checkout, body }),
      await client.ask('POST', PATH, { body }),
    ];
    expect([bad.status, powerless.status, nobody.status]).toEqual([401, 403, 403]);
    expect(bad.json()).toMatchObject({ message: 'Unauthorized', reason: 'Unauthorized', code: 401 });
    const forbidden = (user: string) =>
      `tokenreviews.authentication.k8s.io is forbidden: User "${user}" cannot create resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope`;
    expect(powerless.json().message).toBe(forbidden('system:serviceaccount:shop:checkout'));
    expect(nobody.json().message).toBe(forbidden('system:anonymous'));
  });

  it('does not accept a token for another audience as a reviewer’s credential', async () => {
    const token = await cluster.createToken({
      namespace: 'shop',
      serviceAccount: 'reviewer',
      audiences: ['orders'],
    });
    expect((await client.ask('POST', PATH, { token, body: { spec: { token } } })).status).toBe(401);
  });
});
