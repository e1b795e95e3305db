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

describe('readiness before the first answer to a review', () => {
  it('is not ready, and states the reason', async () => {
    expect(state.current()).toStrictEqual({
      status: 'not-ready',
      reason: 'no answer of the API server yet',
    });
    canReview = away;
    state.start();
    await clock.advance(0);
    expect(state.current()).toStrictEqual({ status: 'not-ready', reason: AWAY });
  });

  it('checks again every ten seconds until there is an answer', async () => {
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

  it('shortens the interval by up to a fifth, so that replicas do not check at the same time', async () => {
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

  it('is ready when a review was answered before the first check', () => {
    state.noteAnswer();
    expect(state.current()).toStrictEqual({ status: 'ready' });
  });

  it('counts a refused self check as an answer', async () => {
    canReview = says('unknown');
    state.start();
    await clock.advance(0);
    expect(status()).toBe('ready');
  });

  it('starts only once when start is called twice', async () => {
    canReview = away;
    state.start();
    state.start();
    await clock.advance(10_000);
    expect(checks).toBe(3);
  });
});

describe('readiness and a missing right to create tokenreviews', () => {
  it('is not ready until the right is granted, without any traffic', async () => {
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

  it('notices the missing right in a review, too', async () => {
    state.start();
    await clock.advance(0);
    state.noteFailure(new ReviewRightMissingError('missing'));
    expect(status()).toBe('not-ready');
    await clock.advance(10_000);
    expect(status()).toBe('ready');
  });

  it('checks the right sooner at first, because an API server that has just started refuses everybody for a moment', async () => {
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

  it('checks the right at growing intervals, up to ten seconds', async () => {
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

  it('does not check the right before start or after close', async () => {
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

  it('stays not ready while the API server refuses the self check, until a review is answered', async () => {
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

  it('stays not ready while the API server is unreachable', async () => {
    canReview = says('missing');
    state.start();
    await clock.advance(0);
    canReview = away;
    await clock.advance(10_000);
    expect(status()).toBe('not-ready');
  });
});

describe('readiness during an outage after the first answer', () => {
  it('is degraded until the API server is reachable again', async () => {
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
