import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { outcome, OWN_ACCOUNT, type OwnCluster, startOwnCluster } from './own-cluster.fixture.js';
import { TokenReviewClient } from './token-review.client.js';

const unavailable = { name: 'VerifierUnavailableError', code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' };
const RIGHT_MISSING = expect.stringMatching(
  /ClusterRole system:auth-delegator, .* to system:serviceaccount:shop:orders$/,
) as unknown as string;

let own: OwnCluster;
let reviews: TokenReviewClient;
let token: string;

beforeEach(async () => {
  own = await startOwnCluster();
  reviews = new TokenReviewClient(own.client, { clock: own.clock, log: own.log, timeoutMs: 5_000 });
  token = await own.cluster.createToken({
    namespace: 'shop',
    serviceAccount: 'orders',
    audiences: ['stock'],
  });
});

afterEach(() => {
  reviews.close();
  return own.close();
});

describe('TokenReviewClient.review', () => {
  it('returns the status from the API server', async () => {
    await expect(reviews.review(token, ['stock'])).resolves.toMatchObject({
      authenticated: true,
      audiences: ['stock'],
      user: { username: 'system:serviceaccount:shop:orders' },
    });
    await expect(reviews.review(token, ['other'])).resolves.toStrictEqual({
      user: {},
      error: expect.stringContaining('invalid bearer token'),
    });
  });

  it('accepts an answer with status 200', async () => {
    const body = JSON.stringify({ kind: 'TokenReview', status: { authenticated: false } });
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status: 200, body } });
    await expect(reviews.review(token, ['stock'])).resolves.toStrictEqual({ authenticated: false });
  });

  it.each([
    ['HTML', '<html><body>gateway</body></html>'],
    ['an empty body', ''],
    ['truncated JSON', '{"kind":"TokenReview","status":{"authentic'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a status object', { kind: 'Status', status: 'Failure' }],
    ['no kind', { status: { authenticated: true } }],
    ['another kind', { kind: 'SubjectAccessReview', status: { authenticated: true } }],
    ['no status', { kind: 'TokenReview' }],
    ['null for a status', { kind: 'TokenReview', status: null }],
    ['a list for a status', { kind: 'TokenReview', status: [true] }],
    ['text for a status', { kind: 'TokenReview', status: 'authenticated' }],
  ])('rejects an answer with %s', async (_what, body) => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'body', body } });
    await expect(reviews.review(token, ['stock'])).rejects.toMatchObject({
      ...unavailable,
      message: 'API server answered 201, expected a TokenReview with a status',
    });
  });

  it.each(['true', 'false', '', 1, 0, {}, [true]])(
    'does not take %j as "authenticated" for an answer',
    async (authenticated) => {
      const body = { kind: 'TokenReview', status: { authenticated, audiences: ['stock'] } };
      own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'body', body } });
      await expect(reviews.review(token, ['stock'])).rejects.toMatchObject({
        ...unavailable,
        message: 'API server answered with a TokenReview whose status.authenticated is not a boolean',
      });
    },
  );

  it.each([true, false, null, undefined])(
    'accepts an answer with %j as "authenticated"',
    async (authenticated) => {
      const body = { kind: 'TokenReview', status: { authenticated } };
      own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'body', body } });
      expect(await reviews.review(token, ['stock'])).toEqual({ authenticated });
    },
  );

  it.each([202, 204, 400, 404, 405, 422])('rejects an answer with status %d', async (status) => {
    const body = JSON.stringify({ kind: 'TokenReview', status: { authenticated: true } });
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status, body } });
    await expect(reviews.review(token, ['stock'])).rejects.toMatchObject(unavailable);
  });

  it('does not expose the token if an answer that repeats it cannot be parsed', async () => {
    const body = (honest: object) => `x${JSON.stringify(honest)}`;
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'body', body } });
    const said = [await outcome(reviews.review(token, ['stock'])), own.log.events];
    expect(inspect(said, { depth: 10, showHidden: true }) + JSON.stringify(said)).not.toMatch(/eyJ/);
  });
});

describe('the right to create TokenReviews', () => {
  it('is logged once a minute when it is missing', async () => {
    own.cluster.revoke('create tokenreviews', OWN_ACCOUNT);
    for (let n = 0; n < 3; n++) {
      await expect(reviews.review(token, ['stock'])).rejects.toMatchObject({
        name: 'ReviewRightMissingError',
        code: unavailable.code,
        message: RIGHT_MISSING,
      });
    }
    expect(own.log.messages('error')).toStrictEqual([RIGHT_MISSING]);
    await own.clock.advance(60_000);
    await outcome(reviews.review(token, ['stock']));
    expect(own.log.messages('error')).toHaveLength(2);
  });

  it('can be checked', async () => {
    await expect(reviews.canReview()).resolves.toBe('granted');
    own.cluster.revoke('create tokenreviews', OWN_ACCOUNT);
    await expect(reviews.canReview()).resolves.toBe('missing');
    expect(own.log.messages('error')).toStrictEqual([RIGHT_MISSING]);
  });

  it.each([403, 404])('is unknown when the check is answered with %d', async (status) => {
    own.cluster.faults.set({ on: 'accessreviews', fault: { kind: 'status', status } });
    await expect(reviews.canReview()).resolves.toBe('unknown');
  });

  it('is checked without retries, and the check fails without an answer', async () => {
    own.cluster.faults.set({ on: 'accessreviews', fault: { kind: 'status', status: 503 } });
    await expect(reviews.canReview()).rejects.toMatchObject(unavailable);
    expect(own.cluster.requests.count()).toBe(1);
    for (const body of [{}, { kind: 'SelfSubjectAccessReview', status: { allowed: 'true' } }]) {
      own.cluster.faults.set({ on: 'accessreviews', fault: { kind: 'body', body } });
      await expect(reviews.canReview()).rejects.toMatchObject(unavailable);
    }
  });
});

describe('TokenReviewClient overload', () => {
  it('runs 16 reviews, lets 256 wait, and refuses all others immediately', async () => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'hang' } });
    const all = Array.from({ length: 16 + 256 + 1 }, () => outcome(reviews.review(token, ['stock'])));
    expect(await all.at(-1)).toMatchObject({
      ...unavailable,
      message: 'overload: 256 requests wait for the API server',
    });
    await own.cluster.requests.waitFor({}, 16);
    await own.clock.advance(4_999);
    expect(own.cluster.requests.count()).toBe(16);
    reviews.close();
    await own.clock.advance(1);
    const outcomes = await Promise.all(all);
    expect(outcomes.every((one) => (one as { code?: string }).code === unavailable.code)).toBe(true);
    expect(own.cluster.requests.count()).toBe(16);
    expect(own.clock.pendingTimers).toBe(0);
  });

  it('counts the wait for a place towards the timeout of the review', async () => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'delay', ms: 4_000 }, times: 16 });
    const slow = Array.from({ length: 16 }, () => outcome(reviews.review(token, ['stock'])));
    await own.cluster.requests.waitFor({}, 16);
    await own.clock.advance(3_000);
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'hang' } });
    let isOver = false;
    const late = outcome(reviews.review(token, ['stock'])).finally(() => (isOver = true));
    await own.clock.advance(1_000);
    await Promise.all(slow);
    await own.cluster.requests.waitFor({}, 17);
    await own.clock.advance(3_999);
    expect(isOver).toBe(false);
    await own.clock.advance(1);
    expect(await late).toMatchObject({
      code: unavailable.code,
      message: 'no answer of the API server within 5000 ms',
    });
  });
});
