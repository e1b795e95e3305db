import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../testing/fake-clock.js';
import { CapturedLog } from '../../api-server/own-cluster.fixture.js';
import { type ReviewRight, ReviewRightMissingError } from '../../api-server/token-review.client.js';
import { VerifierUnavailableError } from '../../errors.js';
import { ReviewReadiness } from './review-readiness.js';

const away = () => Promise.reject(new VerifierUnavailableError('the API server is away'));
const AWAY = 'the API server is away (ERR_K8S_AUTH_VERIFIER_UNAVAILABLE)';
const says = (right: ReviewRight) => () => Promise.resolve(right);

let clock: FakeClock;
let log: CapturedLog;
let checks: number;
let canReview: () => Promise<ReviewRight>;
let state: ReviewReadiness;

beforeEach(() => {
  clock = new FakeClock();
  log = new CapturedLog();
  checks = 0;
  canReview = says('granted');
  state = new ReviewReadiness({
    reviews: {
      canReview: () => {
        checks++;
        return canReview();
      },
    },
    clock,
    log,
    random: () => 0,
  });
});

afterEach(() => state.close());

const status = () => state.current().status;

describe('before the first answer', () => {
  it('is not ready, and says why', async () => {
    expect(state.current()).toStrictEqual({
      status: 'not-ready',
      reason: 'no answer of the API server yet',
    });
    canReview = away;
    state.start();
    await clock.advance(0);
    expect(state.current()).toStrictEqual({ status: 'not-ready', reason: AWAY });
  });

  it('asks again every ten seconds until there is one', async () => {
    canReview = away;
    state.start();
    await clock.advance(30_000);
    expect(checks).toBe(4);
    canReview = says('granted');
    await clock.advance(10_000);
    expect(status()).toBe('ready');
    await clock.advance(60_000);
    expect(checks).toBe(5);
  });

  it('asks sooner by up to a fifth, so that replicas do not ask together', async () => {
    const eager = new ReviewReadiness({
      reviews: { canReview: () => (checks++, away()) },
      clock,
      log,
      random: () => 1,
    });
    eager.start();
    await clock.advance(16_000);
    expect(checks).toBe(3);
    eager.close();
    await clock.advance(60_000);
    expect(checks).toBe(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is ready when a review was answered first', () => {
    state.noteAnswer();
    expect(state.current()).toStrictEqual({ status: 'ready' });
  });

  it('takes it for an answer that it may not ask', async () => {
    canReview = says('unknown');
    state.start();
    await clock.advance(0);
    expect(status()).toBe('ready');
  });

  it('starts once, however often it is told to', async () => {
    canReview = away;
    state.start();
    state.start();
    await clock.advance(10_000);
    expect(checks).toBe(3);
  });
});

describe('a right that is missing', () => {
  it('is not ready until it is granted, without any traffic', async () => {
    canReview = says('missing');
    state.start();
    await clock.advance(0);
    expect(state.current()).toStrictEqual({
      status: 'not-ready',
      reason: expect.stringContaining('system:auth-delegator'),
    });
    canReview = says('granted');
    await clock.advance(10_000);
    expect(status()).toBe('ready');
    expect(log.messages('log')).toStrictEqual(['own ServiceAccount may create tokenreviews']);
  });

  it('is seen by a review, too', async () => {
    state.start();
    await clock.advance(0);
    state.noteFailure(new ReviewRightMissingError('missing'));
    expect(status()).toBe('not-ready');
    await clock.advance(10_000);
    expect(status()).toBe('ready');
  });

  it('is looked for sooner at first: an API server that has just started refuses everybody for a moment', async () => {
    state.start();
    await clock.advance(0);
    state.noteFailure(new ReviewRightMissingError('missing'));
    expect(status()).toBe('not-ready');
    await clock.advance(999);
    expect(status()).toBe('not-ready');
    await clock.advance(1);
    expect(status()).toBe('ready');
    await clock.advance(60_000);
    expect(checks).toBe(2);
  });

  it('is looked for less and less often, down to every ten seconds', async () => {
    const checkedAt: number[] = [];
    state.start();
    await clock.advance(0);
    const lostMs = clock.monotonicMs();
    canReview = () => {
      checkedAt.push(clock.monotonicMs() - lostMs);
      return says('missing')();
    };
    state.noteFailure(new ReviewRightMissingError('missing'));
    await clock.advance(35_000);
    expect(checkedAt).toStrictEqual([1_000, 3_000, 7_000, 15_000, 25_000, 35_000]);
  });

  it('is no longer looked for when closed, nor before the start', async () => {
    state.noteFailure(new ReviewRightMissingError('missing'));
    expect(clock.pendingTimers).toBe(0);
    state.start();
    await clock.advance(0);
    state.close();
    state.noteFailure(new ReviewRightMissingError('missing'));
    await clock.advance(60_000);
    expect(checks).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stays missing while the API server does not let us ask for it, until a review is answered', async () => {
    canReview = says('unknown');
    state.start();
    await clock.advance(0);
    state.noteFailure(new ReviewRightMissingError('missing'));
    await clock.advance(60_000);
    expect(checks).toBeGreaterThan(5);
    expect(status()).toBe('not-ready');
    expect(log.messages('log')).toStrictEqual([]);
    state.noteAnswer();
    expect(status()).toBe('ready');
    expect(log.messages('log')).toStrictEqual(['own ServiceAccount may create tokenreviews']);
  });

  it('stays missing while the API server is away', async () => {
    canReview = says('missing');
    state.start();
    await clock.advance(0);
    canReview = away;
    await clock.advance(10_000);
    expect(status()).toBe('not-ready');
  });
});

describe('an outage after the first answer', () => {
  it('leaves it ready, but degraded, until the API server is back', async () => {
    state.start();
    await clock.advance(0);
    state.noteFailure(new VerifierUnavailableError('the API server is away'));
    expect(state.current()).toStrictEqual({ status: 'degraded', reason: AWAY });
    canReview = away;
    await clock.advance(10_000);
    expect(status()).toBe('degraded');
    canReview = says('unknown');
    await clock.advance(10_000);
    expect(status()).toBe('ready');
    state.noteFailure(new VerifierUnavailableError('the API server is away'));
    canReview = says('granted');
    await clock.advance(10_000);
    expect(status()).toBe('ready');
  });
});
