import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';

const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';
const METADATA = '/.well-known/openid-configuration';
const ACCESS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const CREATE_REVIEWS = {
  resourceAttributes: { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' },
};

describe('rights', () => {
  let cluster: LocalCluster;
  let client: ApiClient;
  let token: string;

  beforeEach(async () => {
    cluster = await LocalCluster.start({ signingAlgorithm: 'ES256' });
    client = new ApiClient(cluster);
    await cluster.createServiceAccount('shop', 'reviewer');
    token = await cluster.createToken({ namespace: 'shop', serviceAccount: 'reviewer' });
  });

  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  const reviewStatus = async () =>
    (await client.ask('POST', REVIEWS, { token, body: { spec: { token } } })).status;
  const discoveryStatus = async (as?: string) => (await client.ask('GET', METADATA, { token: as })).status;

  async function isAllowed(spec: unknown, as: ApiClient = client, credential: string | undefined = token) {
    const answered = await as.ask('POST', ACCESS, { token: credential, body: { spec } });
    expect(answered.status).toBe(201);
    return answered.json().status;
  }

  it('are at first those of a cluster with default settings', async () => {
    expect([await reviewStatus(), await discoveryStatus(token), await discoveryStatus()]).toEqual([
      403, 200, 403,
    ]);
  });

  it('to review can be granted and revoked', async () => {
    cluster.grant('create tokenreviews', 'shop/reviewer');
    expect(await reviewStatus()).toBe(201);
    cluster.revoke('create tokenreviews', 'shop/reviewer');
    expect(await reviewStatus()).toBe(403);
  });

  it('to discovery can be revoked for one ServiceAccount, and for all', async () => {
    const other = await cluster.createToken({ namespace: 'shop', serviceAccount: 'default' });
    cluster.revoke('read discovery', 'shop/reviewer');
    expect([await discoveryStatus(token), await discoveryStatus(other)]).toEqual([403, 200]);
    cluster.revoke('read discovery', 'system:serviceaccounts');
    expect(await discoveryStatus(other)).toBe(403);
    cluster.grant('read discovery', 'shop/reviewer');
    expect([await discoveryStatus(token), await discoveryStatus(other)]).toEqual([200, 403]);
  });

  it('to discovery can be granted to everybody', async () => {
    cluster.grant('read discovery', 'system:unauthenticated');
    expect(await discoveryStatus()).toBe(200);
  });

  it('are reported by a SelfSubjectAccessReview', async () => {
    expect(await isAllowed(CREATE_REVIEWS)).toEqual({ allowed: false });
    cluster.grant('create tokenreviews', 'shop/reviewer');
    expect(await isAllowed(CREATE_REVIEWS)).toEqual({
      allowed: true,
      reason: expect.stringMatching(/^RBAC: allowed by .* to ServiceAccount "reviewer\/shop"$/),
    });
    expect(await isAllowed({ nonResourceAttributes: { path: METADATA, verb: 'get' } })).toEqual({
      allowed: true,
      reason: expect.stringMatching(/^RBAC: allowed by .* to Group "system:serviceaccounts"$/),
    });
    cluster.revoke('read discovery', 'shop/reviewer');
    expect(await isAllowed({ nonResourceAttributes: { path: '/openid/v1/jwks', verb: 'get' } })).toEqual({
      allowed: false,
    });
  });

  it.each([
    ['another verb', { resourceAttributes: { ...CREATE_REVIEWS.resourceAttributes, verb: 'get' } }],
    ['another group', { resourceAttributes: { ...CREATE_REVIEWS.resourceAttributes, group: '' } }],
    ['a subresource', { resourceAttributes: { ...CREATE_REVIEWS.resourceAttributes, subresource: 'x' } }],
    ['another path', { nonResourceAttributes: { path: '/openid', verb: 'get' } }],
    ['another verb on a path', { nonResourceAttributes: { path: METADATA, verb: 'post' } }],
  ])('do not include %s', async (_, spec) => {
    cluster.grant('create tokenreviews', 'shop/reviewer');
    expect(await isAllowed(spec)).toEqual({ allowed: false });
  });

  it('include everything for administrators', async () => {
    const admin = await ApiClient.asAdministrator(cluster);
    const spec = { resourceAttributes: { resource: 'secrets', verb: 'list' } };
    expect(await isAllowed(spec, admin, undefined)).toEqual({ allowed: true });
    await admin.close();
  });

  it.each([
    ['neither', {}, 'spec.resourceAttributes'],
    [
      'both',
      { ...CREATE_REVIEWS, nonResourceAttributes: { path: '/', verb: 'get' } },
      'spec.nonResourceAttributes',
    ],
  ])('cannot be requested with %s of the two kinds of attributes', async (_, spec, field) => {
    const answered = await client.ask('POST', ACCESS, { token, body: { spec } });
    expect(answered.json()).toMatchObject({ code: 422, reason: 'Invalid', details: { causes: [{ field }] } });
  });

  it('are not reported to anonymous callers', async () => {
    expect((await client.ask('POST', ACCESS, { body: { spec: CREATE_REVIEWS } })).status).toBe(403);
  });
});
