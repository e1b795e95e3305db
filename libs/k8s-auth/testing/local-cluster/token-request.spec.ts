import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../fake-clock.js';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';

const PATH = '/api/v1/namespaces/shop/serviceaccounts/checkout/token';

describe('TokenRequest', () => {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  let cluster: LocalCluster;
  let admin: ApiClient;
  let accountUid: string;
  let podUid: string;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ clock });
    accountUid = (await cluster.createServiceAccount('shop', 'checkout')).metadata.uid;
    podUid = (await cluster.createPod('shop', 'checkout-1', { serviceAccount: 'checkout' })).metadata.uid;
    admin = await ApiClient.asAdministrator(cluster);
  });

  afterAll(async () => {
    await admin.close();
    await cluster.close();
  });

  async function request(spec: unknown, path = PATH) {
    const answered = await admin.ask('POST', path, { body: { spec } });
    const json = answered.json();
    const token = typeof json.status.token === 'string' ? json.status.token : '';
    const [header, claims] = token.split('.').map(decode);
    return { answered, json, header, claims };
  }

  it('issues a token for the requested audiences', async () => {
    const { answered, json, header, claims } = await request({
      audiences: ['orders'],
      expirationSeconds: 600,
    });
    expect(answered.status).toBe(201);
    expect(json).toMatchObject({
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: {
        name: 'checkout',
        namespace: 'shop',
        uid: accountUid,
        creationTimestamp: '2030-01-01T00:00:00Z',
      },
      spec: { audiences: ['orders'], expirationSeconds: 600 },
      status: { expirationTimestamp: '2030-01-01T00:10:00Z' },
    });
    const nowSeconds = clock.wallMs() / 1000;
    expect(Object.keys(header as object).sort()).toEqual(['alg', 'kid']);
    expect(claims).toEqual({
      aud: ['orders'],
      exp: nowSeconds + 600,
      iat: nowSeconds,
      iss: 'https://kubernetes.default.svc.cluster.local',
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'checkout', uid: accountUid } },
      nbf: nowSeconds,
      sub: 'system:serviceaccount:shop:checkout',
    });
  });

  it('issues a token for the API server and one hour by default', async () => {
    const { json, claims } = await request(undefined);
    expect(json).toMatchObject({ spec: { audiences: [cluster.issuer], expirationSeconds: 3600 } });
    expect(claims).toMatchObject({ aud: [cluster.issuer], exp: clock.wallMs() / 1000 + 3600 });
  });

  it('binds to a pod and its node', async () => {
    const reference = { kind: 'Pod', apiVersion: 'v1', name: 'checkout-1', uid: podUid };
    const { claims } = await request({ audiences: ['orders'], boundObjectRef: reference });
    expect(claims).toMatchObject({
      'kubernetes.io': {
        pod: { name: 'checkout-1', uid: podUid },
        node: { name: 'local-node', uid: expect.any(String) },
      },
    });
  });

  it('names a node that does not exist, without a UID', async () => {
    const spec = { serviceAccountName: 'checkout', nodeName: 'gone' };
    await admin.ask('POST', '/api/v1/namespaces/shop/pods', {
      body: { metadata: { name: 'orphan' }, spec },
    });
    const { claims } = await request({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'orphan' } });
    expect((claims as Record<string, { node: object }>)['kubernetes.io']?.node).toEqual({ name: 'gone' });
  });

  it('extends the lifetime that automounted tokens request to one year', async () => {
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'checkout-1' };
    const automounted = await request({ expirationSeconds: 3607, boundObjectRef });
    const nowSeconds = clock.wallMs() / 1000;
    expect(automounted.claims).toMatchObject({
      exp: nowSeconds + 365 * 24 * 3600,
      'kubernetes.io': { warnafter: nowSeconds + 3607 },
    });
    expect(automounted.json.status.expirationTimestamp).toBe('2030-01-01T01:00:07Z');
    const custom = await request({ expirationSeconds: 3607, boundObjectRef, audiences: ['orders'] });
    expect(custom.claims).toMatchObject({ exp: nowSeconds + 3607 });
    const unbound = await request({ expirationSeconds: 3607 });
    expect(unbound.claims).toMatchObject({ exp: nowSeconds + 3607 });
  });

  it.each([
    [599, 'Invalid value: 599: may not specify a duration less than 10 minutes'],
    [2 ** 32 + 1, 'Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds'],
  ])('refuses a lifetime of %d s', async (expirationSeconds, problem) => {
    const { answered, json } = await request({ expirationSeconds });
    expect(answered.status).toBe(422);
    expect(json).toMatchObject({
      message: `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${problem}`,
      reason: 'Invalid',
      details: {
        group: 'authentication.k8s.io',
        kind: 'TokenRequest',
        causes: [{ reason: 'FieldValueInvalid', message: problem, field: 'spec.expirationSeconds' }],
      },
      code: 422,
    });
  });

  it.each([
    ['a lifetime that is not a whole number', { expirationSeconds: 600.5 }, 400, 'BadRequest'],
    ['a pod that does not exist', { boundObjectRef: { kind: 'Pod', name: 'x' } }, 404, 'NotFound'],
    ['a pod without a name', { boundObjectRef: { kind: 'Pod' } }, 400, 'BadRequest'],
    ['another kind of object', { boundObjectRef: { kind: 'ConfigMap', name: 'x' } }, 400, 'BadRequest'],
    [
      'a pod with another UID',
      { boundObjectRef: { kind: 'Pod', name: 'checkout-1', uid: 'x' } },
      409,
      'Conflict',
    ],
  ])('refuses %s', async (_, spec, code, reason) => {
    const { json } = await request(spec);
    expect(json).toMatchObject({ code, reason });
  });

  it('refuses a pod of another ServiceAccount', async () => {
    const path = '/api/v1/namespaces/shop/serviceaccounts/default/token';
    const { json } = await request({ boundObjectRef: { kind: 'Pod', name: 'checkout-1' } }, path);
    expect(json).toMatchObject({
      code: 400,
      message:
        'cannot bind token for serviceaccount "default" to pod running with different serviceaccount name.',
    });
  });

  it('is 404 for a ServiceAccount that does not exist', async () => {
    const { json } = await request({}, '/api/v1/namespaces/shop/serviceaccounts/nobody/token');
    expect(json).toMatchObject({
      code: 404,
      message: 'serviceaccounts "nobody" not found',
      details: { name: 'nobody', kind: 'serviceaccounts' },
    });
  });

  it('is for administrators only', async () => {
    const token = await cluster.createToken({ namespace: 'shop', serviceAccount: 'checkout' });
    const client = new ApiClient(cluster);
    const answered = await client.ask('POST', PATH, { token, body: {} });
    await client.close();
    expect(answered.json()).toMatchObject({
      code: 403,
      message:
        'serviceaccounts "checkout" is forbidden: User "system:serviceaccount:shop:checkout" cannot create resource "serviceaccounts/token" in API group "" in the namespace "shop"',
    });
  });
});

describe('minimumTokenLifetimeMs', () => {
  let cluster: LocalCluster;
  let admin: ApiClient;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ signingAlgorithm: 'ES256', minimumTokenLifetimeMs: 5_000 });
    admin = await ApiClient.asAdministrator(cluster);
  });

  afterAll(async () => {
    await admin.close();
    await cluster.close();
  });

  it('lowers the shortest lifetime, and the message names it', async () => {
    const path = '/api/v1/namespaces/default/serviceaccounts/default/token';
    const ask = (expirationSeconds: number) =>
      admin.ask('POST', path, { body: { spec: { expirationSeconds } } });
    expect((await ask(5)).status).toBe(201);
    expect((await ask(4)).json().message).toMatch(/may not specify a duration less than 5 seconds$/);
  });
});

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
