import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partOf, reviewed, visible } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

const EXTRA = 'authentication.kubernetes.io';

describe.each(TARGETS)('TokenReview of %s accepts', (_name, openTarget) => {
  let sandbox: Sandbox;
  let reviewer: string;
  let uid: string;

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    ({ uid } = await sandbox.createServiceAccount('checkout'));
    reviewer = await sandbox.createReviewer();
  }, 60_000);

  afterAll(() => sandbox.close());

  const checkout = (extra: object) => ({
    username: sandbox.username('checkout'),
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${sandbox.namespace}`, 'system:authenticated'],
    extra,
  });
  const jtiOf = (token: string) => [`JTI=${partOf(token, 1).jti as string}`];

  it('a token for a requested audience, and names its ServiceAccount', async () => {
    const token = await sandbox.tokenOf('checkout', { audiences: ['orders', 'stock'] });
    const audiences = ['stock', 'other'];
    expect(visible(await sandbox.review({ token: reviewer }, token, audiences))).toEqual(
      reviewed(
        { token, audiences },
        {
          authenticated: true,
          user: checkout({ [`${EXTRA}/credential-id`]: jtiOf(token) }),
          audiences: ['stock'],
        },
      ),
    );
  });

  it('a token of a pod, and names pod and node', async () => {
    const node = `${sandbox.namespace}-node`;
    const pod = await sandbox.createPod('checkout-1', 'checkout', node);
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'checkout-1', uid: pod.uid };
    const token = await sandbox.tokenOf('checkout', { audiences: ['orders'], boundObjectRef });
    expect(await sandbox.verdict(reviewer, token, ['orders'])).toEqual({
      authenticated: true,
      user: checkout({
        [`${EXTRA}/credential-id`]: jtiOf(token),
        [`${EXTRA}/node-name`]: [node],
        [`${EXTRA}/pod-name`]: ['checkout-1'],
        [`${EXTRA}/pod-uid`]: [pod.uid],
      }),
      audiences: ['orders'],
    });
  });

  it.each([
    ['no audience', undefined],
    ['an empty list of audiences', []],
  ])('a token for the API server when %s is asked for', async (_, audiences) => {
    const token = await sandbox.tokenOf('checkout');
    expect(await sandbox.verdict(reviewer, token, audiences)).toEqual({
      authenticated: true,
      user: checkout({ [`${EXTRA}/credential-id`]: jtiOf(token) }),
      audiences: partOf(token, 1).aud,
    });
  });

  it('a Secret-based token without an audience as issued for the API server', async () => {
    const token = await sandbox.target.createLegacyToken({
      namespace: sandbox.namespace,
      name: 'checkout',
    });
    const flat = 'kubernetes.io/serviceaccount';
    expect(partOf(token, 1)).toEqual({
      iss: 'kubernetes/serviceaccount',
      [`${flat}/namespace`]: sandbox.namespace,
      [`${flat}/secret.name`]: 'checkout-token',
      [`${flat}/service-account.name`]: 'checkout',
      [`${flat}/service-account.uid`]: uid,
      sub: sandbox.username('checkout'),
    });
    const { extra: _, ...user } = checkout({});
    const { aud } = partOf(reviewer, 1);
    expect(await sandbox.verdict(reviewer, token)).toEqual({ authenticated: true, user, audiences: aud });
    expect(await sandbox.verdict(reviewer, token, ['orders'])).toEqual({
      user: {},
      error: expect.stringMatching(
        /^\[invalid bearer token, token audiences \[.*\] is invalid for the target/,
      ),
    });
  });
});
