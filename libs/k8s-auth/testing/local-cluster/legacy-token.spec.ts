import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../fake-clock.js';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';

const CHECKOUT = { namespace: 'shop', serviceAccount: 'checkout' };

describe('legacy tokens and the cache of accepted tokens', () => {
  let clock: FakeClock;
  let cluster: LocalCluster;
  let client: ApiClient;
  let reviewer: string;

  beforeEach(async () => {
    clock = new FakeClock();
    cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256', acceptedTokenCacheMs: 10_000 });
    client = new ApiClient(cluster);
    await cluster.createServiceAccount('shop', 'checkout');
    cluster.grant('create tokenreviews', 'shop/default');
    reviewer = await cluster.createToken({ namespace: 'shop', serviceAccount: 'default' });
  });

  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  async function judge(token: string, audiences?: readonly string[]): Promise<unknown> {
    const { authenticated, error } = await client.review(reviewer, token, audiences);
    return authenticated ?? error;
  }

  it('a legacy token has flat claims, no audience and no expiry', async () => {
    const token = await cluster.createLegacyToken(CHECKOUT);
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const { metadata } = await cluster.createServiceAccount('shop', 'checkout');
    expect(claims).toEqual({
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'shop',
      'kubernetes.io/serviceaccount/secret.name': 'checkout-token',
      'kubernetes.io/serviceaccount/service-account.name': 'checkout',
      'kubernetes.io/serviceaccount/service-account.uid': metadata.uid,
      sub: 'system:serviceaccount:shop:checkout',
    });
  });

  it('a legacy token counts as issued for the API server only', async () => {
    const token = await cluster.createLegacyToken({ ...CHECKOUT, secret: 'by-hand' });
    const { user, audiences } = await client.review(reviewer, token);
    expect(user).toMatchObject({ username: 'system:serviceaccount:shop:checkout' });
    expect(user).not.toHaveProperty('extra');
    expect(audiences).toEqual([cluster.issuer]);
    expect(await judge(token, ['orders'])).toMatch(/is invalid for the target audiences \["orders"\]\]$/);
  });

  it('a legacy token is refused for another subject, another UID, or another Secret', async () => {
    const prefix = 'kubernetes.io/serviceaccount';
    const forge = (claims: Record<string, string>) => cluster.createLegacyToken({ ...CHECKOUT, claims });
    expect(await judge(await forge({ sub: 'system:serviceaccount:shop:admin' }))).toBe(
      '[invalid bearer token, sub claim is invalid]',
    );
    expect(await judge(await forge({ [`${prefix}/service-account.uid`]: 'x' }))).toMatch(
      /ServiceAccount UID \(.*\) does not match claim \(x\)\]$/,
    );
    expect(await judge(await forge({ [`${prefix}/secret.name`]: 'gone' }))).toBe(
      '[invalid bearer token, Token has been invalidated]',
    );
  });

  it('a legacy token is refused after its ServiceAccount was deleted, and tokens of other accounts are not', async () => {
    await cluster.createServiceAccount('shop', 'other');
    const other = await cluster.createLegacyToken({ namespace: 'shop', serviceAccount: 'other' });
    const token = await cluster.createLegacyToken(CHECKOUT);
    await cluster.deleteServiceAccount('shop', 'checkout');
    expect(await judge(token)).toBe('[invalid bearer token, Token has been invalidated]');
    expect(await judge(other)).toBe(true);
  });

  it('the cache keeps accepting an accepted token for ten seconds', async () => {
    const token = await cluster.createToken({ ...CHECKOUT, audiences: ['orders'] });
    expect(await judge(token, ['orders'])).toBe(true);
    await cluster.deleteServiceAccount('shop', 'checkout');
    await clock.advance(9_999);
    expect(await judge(token, ['orders'])).toBe(true);
    await clock.advance(1);
    expect(await judge(token, ['orders'])).toMatch(/not found\]$/);
  });

  it('the cache keeps verdicts per audience, and never a refusal', async () => {
    const token = await cluster.createToken({ ...CHECKOUT, audiences: ['orders'] });
    expect(await judge(token, ['orders'])).toBe(true);
    expect(await judge(token, ['stock'])).toMatch(/is invalid for the target audiences/);
    const early = await cluster.createToken({ ...CHECKOUT, claims: { nbf: clock.wallMs() / 1000 + 61 } });
    expect(await judge(early)).toMatch(/not valid yet/);
    await clock.advance(1_000);
    expect(await judge(early)).toBe(true);
  });
});
