import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../http/https-server.fixture.js';
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

const untilReachable = () => until(() => own.log.messages('log').includes('API server answers again'));

const WAITS_MS = [500, 750, 1_125, 1_687.5];

async function passWaits(waitsMs: readonly number[]): Promise<void> {
  for (const [index, waitMs] of waitsMs.entries()) {
    await until(() => own.waits() === index + 1);
    await own.clock.advance(waitMs);
  }
}

const fail = (
  status: number,
  { times, ...fault }: { times?: number; headers?: Record<string, string> } = {},
) =>
  own.cluster.faults.set({ on: '*', fault: { kind: 'status', status, ...fault }, ...(times && { times }) });

describe.each<[string, number, string?]>([
  ['500', 500],
  ['503', 503],
  ['504', 504],
  ['429 without Retry-After', 429],
  ['429 with a Retry-After that is not an integer', 429, '1.5'],
  ['429 with a negative Retry-After', 429, '-5'],
])(
  'while the API server, or a load balancer in front of it, answers every request with %s',
  (_, status, retryAfter) => {
    beforeEach(async () => {
      await review();
      fail(status, retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } });
      const first = review();
      await passWaits(WAITS_MS);
      await first;
    });

    it('the first review fails after its tries, and the error names the status', () => {
      expect(own.cluster.requests.count(REVIEWS)).toBeGreaterThanOrEqual(6);
      expect(own.log.events.at(-1)).toMatchObject({
        message: 'API server answers only with errors: requests are refused with 503 until it recovers',
        reason: expect.stringContaining(`API server answered ${status}`),
      });
    });

    it('reviews after the first are refused immediately until the API server recovers', async () => {
      for (let n = 0; n < 6; n++) {
        const probes = own.cluster.requests.count(REVIEWS);
        const atMs = own.clock.monotonicMs();
        for (const refused of await Promise.all(Array.from({ length: 20 }, review))) {
          expect(refused).toMatchObject({
            message: 'API server answers only with errors',
            retryAfterMs: 1_000,
          });
        }
        expect(own.clock.monotonicMs()).toBe(atMs);
        await own.clock.advance(PROBE_PERIOD_MS);
        await own.cluster.requests.waitFor(REVIEWS, probes + 1);
      }
    });

    it('a readiness check that also fails does not close the circuit breaker', async () => {
      await outcome(reviews.canReview());
      expect(await review()).toMatchObject({ message: 'API server answers only with errors' });
    });

    it('reviews are answered again 500 ms after it recovers, without traffic in between', async () => {
      for (let n = 0; n < 20; n++) await own.clock.advance(PROBE_PERIOD_MS);
      own.cluster.faults.clear();
      await own.clock.advance(PROBE_PERIOD_MS);
      await untilReachable();
      expect(await review()).toMatchObject(accepted);
    });
  },
);

describe('failure statuses for some reviews', () => {
  it('are not an outage while other reviews are answered', async () => {
    fail(500, { times: 4 });
    const failed = review();
    await passWaits(WAITS_MS.slice(0, 3));
    await until(() => own.waits() === 4);
    expect(await review()).toMatchObject(accepted);
    fail(500, { times: 1 });
    await own.clock.advance(WAITS_MS.at(-1) ?? 0);
    expect(await failed).toMatchObject({ message: 'API server answered 500' });
    expect(await review()).toMatchObject(accepted);
  });
});
