import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partOf, refused, UUID, visible } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

describe.each(TARGETS)('a token bound to a pod, by %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let account: { uid: string };
  let pod: { uid: string };

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    account = await sandbox.createServiceAccount('checkout');
    await sandbox.createServiceAccount('stock');
    pod = await sandbox.createPod('checkout-1', 'checkout', `${sandbox.namespace}-node`);
  }, 60_000);

  afterAll(() => sandbox.close());

  const reference = (changes: object = {}) => ({
    kind: 'Pod',
    apiVersion: 'v1',
    name: 'checkout-1',
    uid: pod.uid,
    ...changes,
  });
  const ask = (boundObjectRef: object, serviceAccount = 'checkout') =>
    sandbox.requestToken(serviceAccount, { audiences: ['orders'], boundObjectRef });
  const claimsOf = async (serviceAccount: string, spec: object) =>
    partOf(await sandbox.tokenOf(serviceAccount, spec), 1);

  it('names the pod, and names a node that does not exist without a UID', async () => {
    const claims = await claimsOf('checkout', {
      audiences: ['orders'],
      expirationSeconds: 600,
      boundObjectRef: reference(),
    });
    expect(claims).toEqual({
      aud: ['orders'],
      exp: Number(claims.iat) + 600,
      iat: expect.any(Number),
      iss: expect.stringMatching(/^https:/),
      jti: expect.stringMatching(UUID),
      'kubernetes.io': {
        namespace: sandbox.namespace,
        node: { name: `${sandbox.namespace}-node` },
        pod: { name: 'checkout-1', uid: pod.uid },
        serviceaccount: { name: 'checkout', uid: account.uid },
      },
      nbf: claims.iat,
      sub: sandbox.username('checkout'),
    });
  });

  it('repeats the reference in its answer', async () => {
    const { status, body } = await ask(reference());
    expect(status).toBe(201);
    expect(body.spec).toEqual({
      audiences: ['orders'],
      expirationSeconds: 3600,
      boundObjectRef: reference(),
    });
  });

  it("accepts a pod's name without a UID", async () => {
    const claims = await claimsOf('checkout', { boundObjectRef: reference({ uid: undefined }) });
    expect(claims['kubernetes.io']).toMatchObject({ pod: { name: 'checkout-1', uid: pod.uid } });
  });

  it('lives for a year and warns after 3607 s, when asked for like an automounted one', async () => {
    const claims = await claimsOf('checkout', { expirationSeconds: 3607, boundObjectRef: reference() });
    const iat = Number(claims.iat);
    expect(claims.exp).toBe(iat + 365 * 24 * 3600);
    expect(claims['kubernetes.io']).toMatchObject({ warnafter: iat + 3607 });
  });

  it('lives for 3607 s when it is issued for another audience', async () => {
    const spec = { audiences: ['orders'], expirationSeconds: 3607, boundObjectRef: reference() };
    const claims = await claimsOf('checkout', spec);
    expect(claims.exp).toBe(Number(claims.iat) + 3607);
    expect(claims['kubernetes.io']).not.toHaveProperty('warnafter');
  });

  it('is 409 for a pod of that name with another UID', async () => {
    const problem =
      'the UID in the bound object reference (other) does not match the UID in record. The object might have been deleted and then recreated';
    expect(visible(await ask(reference({ uid: 'other' })))).toEqual(
      refused({
        code: 409,
        reason: 'Conflict',
        message: `Operation cannot be fulfilled on Pod "checkout-1": ${problem}`,
        details: { name: 'checkout-1', kind: 'Pod' },
      }),
    );
  });

  it('is 404 for a pod that was deleted', async () => {
    const { uid } = await sandbox.createPod('checkout-2', 'checkout');
    await sandbox.delete('pods/checkout-2');
    expect(visible(await ask(reference({ name: 'checkout-2', uid })))).toEqual(
      refused({
        code: 404,
        reason: 'NotFound',
        message: 'pods "checkout-2" not found',
        details: { name: 'checkout-2', kind: 'pods' },
      }),
    );
  });

  it.each([
    [
      'a pod of another ServiceAccount',
      {},
      'cannot bind token for serviceaccount "stock" to pod running with different serviceaccount name.',
    ],
    [
      'an object that tokens are not bound to',
      { kind: 'ConfigMap' },
      'cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    ['a pod without a name', { name: undefined }, 'Name parameter required.'],
  ])('is 400 for %s', async (_, changes, message) => {
    expect(visible(await ask(reference(changes), 'stock'))).toEqual(
      refused({ code: 400, reason: 'BadRequest', message }),
    );
  });
});
