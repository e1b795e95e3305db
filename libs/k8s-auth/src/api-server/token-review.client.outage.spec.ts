import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VerifierUnavailableError } from '../errors.js';
import { turn, until } from '../http/https-server.fixture.js';
import { outcome, type OwnCluster, startOwnCluster } from './own-cluster.fixture.js';
import { TokenReviewClient } from './token-review.client.js';

const TIMEOUT_MS = 5_000;
const PROBE_PERIOD_MS = 500;
const REVIEWS = { endpoint: 'tokenreviews' } as const;

let own: OwnCluster;
let reviews: TokenReviewClient;
let token: string;

beforeEach(async () => {
  own = await startOwnCluster();
  reviews = new TokenReviewClient(own.client, { clock: own.clock, log: own.log, timeoutMs: TIMEOUT_MS });
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

const review = () => outcome(reviews.review(token, ['stock']));
const accepted = { authenticated: true };
const unreachable = { message: 'API server is unreachable', retryAfterMs: 1_000 };

/** Advances the clock until the review ends, at its deadline at the latest. */
async function waitFor(pending: Promise<unknown>): Promise<void> {
  let isOver = false;
  void pending.finally(() => (isOver = true));
  while (!isOver) await own.clock.advance(50);
}

const untilReachable = () => until(() => own.log.messages('log').includes('API server answers again'));

/**
 * Starts an outage and waits until the client notices it. The client must have read its own token before, because the
 * fake clock does not wait for the disk.
 */
async function startOutage(outage: () => Promise<void>): Promise<void> {
  await outage();
  const startedMs = own.clock.monotonicMs();
  const first = review();
  await waitFor(first);

  expect(own.clock.monotonicMs() - startedMs).toBeLessThanOrEqual(TIMEOUT_MS);
}

const OUTAGES: [string, () => Promise<void>][] = [
  ['refuses connections', () => own.cluster.outage()],
  ['hangs, TLS included', () => own.cluster.outage('hang')],
  [
    'accepts requests and answers none',
    () => Promise.resolve(void own.cluster.faults.set({ on: '*', fault: { kind: 'hang' } })),
  ],
];

describe.each(OUTAGES)('while the API server %s', (_, outage) => {
  beforeEach(async () => {
    await review();
    await startOutage(outage);
  });

  it('reviews are refused immediately, even 300 at once', async () => {
    const atMs = own.clock.monotonicMs();
    for (const refused of await Promise.all(Array.from({ length: 300 }, review))) {
      expect(refused).toMatchObject(unreachable);
    }
    expect(own.clock.monotonicMs()).toBe(atMs);
  });

  it('reviews are refused, and are answered again 500 ms after it recovers, without traffic in between', async () => {
    for (let n = 0; n < 20; n++) await own.clock.advance(PROBE_PERIOD_MS);
    own.cluster.faults.clear();
    await own.cluster.recover();
    await own.clock.advance(PROBE_PERIOD_MS);
    await untilReachable();
    expect(await review()).toMatchObject(accepted);
  });
});

describe('an outage of the API server', () => {
  it('ends all reviews within their timeout, even waiting ones, and leaves no connection open', async () => {
    await own.cluster.outage('hang');
    const all = Array.from({ length: 40 }, review);
    await until(() => own.cluster.requests.connections === 16);
    await own.clock.advance(TIMEOUT_MS);
    for (const one of await Promise.all(all)) expect(one).toBeInstanceOf(VerifierUnavailableError);
    reviews.close();
    await until(() => own.clock.pendingTimers === 0 && own.cluster.openConnections === 0);
  });

  it('is probed over one connection at a time', async () => {
    await review();
    await startOutage(() => own.cluster.outage('hang'));
    await own.clock.advance(0);
    await until(() => own.cluster.openConnections === 1);
    for (let n = 0; n < 10; n++) {
      const before = own.cluster.requests.connections;
      await own.clock.advance(PROBE_PERIOD_MS);
      await until(() => own.cluster.requests.connections > before && own.cluster.openConnections === 1);
      expect(own.cluster.openConnections).toBe(1);
    }
  });

  it('ends for an API server that is too slow for a probe after it answered another request', async () => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'hang' } });
    const first = review();
    await own.cluster.requests.waitFor(REVIEWS);
    await own.clock.advance(TIMEOUT_MS);
    expect(await first).toBeInstanceOf(VerifierUnavailableError);
    await own.cluster.requests.waitFor(REVIEWS, 2);

    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'delay', ms: TIMEOUT_MS * 0.8 } });
    await reviews.canReview();
    await own.cluster.requests.waitFor(REVIEWS, 3);
    // An open connection that gave no answer for too long is replaced: the call is sent again over a new one, beside a
    // probe.
    await own.clock.advance(TIMEOUT_MS / 8);
    await own.cluster.requests.waitFor(REVIEWS, 5);
    await own.clock.advance(TIMEOUT_MS * 0.8);
    await untilReachable();
    own.cluster.faults.clear();
    expect(await review()).toMatchObject(accepted);
  });

  it('is not assumed when the network dropped every open connection', async () => {
    await review();
    own.cluster.muteConnections();
    const asked = review();
    await turn();
    await own.clock.advance(TIMEOUT_MS / 8);
    expect(await asked).toMatchObject(accepted);
  });
});

describe('an API server that answers', () => {
  it('slowly because of too many reviews does not count as unreachable', async () => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'delay', ms: TIMEOUT_MS * 0.8 } });
    for (let round = 0; round < 3; round++) {
      const all = Array.from({ length: 32 }, review);
      await own.cluster.requests.waitFor(REVIEWS, 16 * (2 * round + 1));
      await own.clock.advance(TIMEOUT_MS * 0.8);
      await own.cluster.requests.waitFor(REVIEWS, 16 * (2 * round + 2));
      await own.clock.advance(TIMEOUT_MS * 0.2);
      const outcomes = await Promise.all(all);
      expect(outcomes.filter((one) => !(one instanceof Error))).toHaveLength(16);
    }
    expect(own.log.messages('warn')).toEqual([]);
  });

  it.each([400, 401, 403, 404, 409, 422, 502])(
    'with %d immediately does not count as unreachable',
    async (status) => {
      own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status } });
      expect(await review()).toBeInstanceOf(Error);
      own.cluster.faults.clear();
      expect(await review()).toMatchObject(accepted);
    },
  );
});

describe('Retry-After of the API server', () => {
  const throttle = (seconds: number, times?: number) =>
    own.cluster.faults.set({
      on: 'tokenreviews',
      fault: { kind: 'status', status: 429, headers: { 'retry-after': String(seconds) } },
      ...(times !== undefined && { times }),
    });

  it('applies to all reviews: none is sent earlier, and callers get the remaining time', async () => {
    throttle(30);
    expect(await review()).toMatchObject({ retryAfterMs: 30_000 });
    await own.clock.advance(10_000);
    for (const refused of await Promise.all(Array.from({ length: 50 }, review))) {
      expect(refused).toMatchObject({ retryAfterMs: 20_000 });
    }
    expect(own.cluster.requests.count()).toBe(1);
    own.cluster.faults.clear();
    await own.clock.advance(20_000);
    expect(await review()).toMatchObject(accepted);
  });

  it('applies to all other requests to that API server', async () => {
    throttle(30);
    await review();
    expect(await outcome(reviews.canReview())).toMatchObject({ retryAfterMs: 30_000 });
    expect(own.cluster.requests.count()).toBe(1);
  });

  it('is limited to one minute', async () => {
    throttle(86_400);
    expect(await review()).toMatchObject({ retryAfterMs: 60_000 });
    own.cluster.faults.clear();
    await own.clock.advance(60_000);
    expect(await review()).toMatchObject(accepted);
  });

  it('makes the review that received it wait if there is time, and a new review fail immediately', async () => {
    throttle(2, 1);
    const told = review();
    await until(() => own.waits() === 1);
    expect(await review()).toMatchObject({ retryAfterMs: 2_000 });
    await own.clock.advance(1_999);
    expect(own.cluster.requests.count(REVIEWS)).toBe(1);
    await own.clock.advance(1);
    expect(await told).toMatchObject(accepted);
  });

  it('applies to the retries of other reviews', async () => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status: 500 }, times: 1 });
    const first = review();
    await until(() => own.waits() === 1);
    throttle(2, 1);
    const told = review();
    await until(() => own.waits() === 2);
    await own.clock.advance(1_999);
    expect(own.cluster.requests.count(REVIEWS)).toBe(2);
    await own.clock.advance(1);
    expect(await Promise.all([first, told])).toMatchObject([accepted, accepted]);
  });
});
