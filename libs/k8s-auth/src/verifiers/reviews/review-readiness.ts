import {
  reviewRightMissing,
  ReviewRightMissingError,
  type TokenReviewClient,
} from '../../api-server/token-review.client.js';
import { type Clock } from '../../util/clock.js';
import { describeError, type Log } from '../../util/log.js';
import { repeat } from '../../util/timers.js';
import { type Readiness } from '../../util/readiness.js';

// kube-apiserver looks as often for an issuer that it cannot reach.
const MAX_CHECK_PERIOD_MS = 10_000;
const JITTER_SHARE = 0.2;
// After a 403 the first check is due sooner, and each next in twice the time: an API server that has just started
// refuses everybody until it has read its roles. Replicas that believed it for long would all leave the Service.
const CHECK_PERIOD_AFTER_REFUSAL_MS = 1_000;

export interface ReviewReadinessContext {
  readonly reviews: Pick<TokenReviewClient, 'canReview'> & Partial<Pick<TokenReviewClient, 'missingRight'>>;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter between checks. @default Math.random */
  readonly random?: () => number;
}

/**
 * Whether the API server answers our reviews. Ready after its first answer of any kind; an outage after that is only
 * `degraded`, because all replicas would see it and leave the Service together. A missing right is `not-ready` until
 * a check or a review shows that it is granted. While anything is wrong the API server is asked every 8 to 10 s, sooner
 * at first when the right is what is wrong, so that it recovers without traffic.
 * @internal
 */
export class ReviewReadiness {
  private hasAnswered = false;
  private isRightMissing = false;
  private failure?: string;
  private isStarted = false;
  private stop = () => {};

  constructor(private readonly context: ReviewReadinessContext) {}

  /** Looks now, and then as long as something is wrong. Never throws. */
  start(): void {
    this.isStarted = true;
    this.keepLooking(MAX_CHECK_PERIOD_MS);
    void this.check();
  }

  close(): void {
    this.isStarted = false;
    this.stop();
  }

  /** A review was answered: whatever it said, the API server is there and lets us ask. */
  noteAnswer(): void {
    if (this.isRightMissing) this.context.log.log({ message: 'own ServiceAccount may create tokenreviews' });
    this.isRightMissing = false;
    this.noteContact();
  }

  noteFailure(error: unknown): void {
    if (error instanceof ReviewRightMissingError) this.noteMissingRight();
    else this.failure = describeError(error);
  }

  /** @param needsAnswer whether a service that has never had an answer is `not-ready`, and not only `degraded` */
  current({ needsAnswer = true } = {}): Readiness {
    if (this.isRightMissing) {
      const { missingRight = reviewRightMissing() } = this.context.reviews;
      return { status: 'not-ready', reason: missingRight };
    }
    if (!this.hasAnswered) {
      const reason = this.failure ?? 'no answer of the API server yet';
      return { status: needsAnswer ? 'not-ready' : 'degraded', reason };
    }
    return this.failure === undefined ? { status: 'ready' } : { status: 'degraded', reason: this.failure };
  }

  private async check(): Promise<void> {
    try {
      const right = await this.context.reviews.canReview();
      if (right === 'granted') this.noteAnswer();
      else if (right === 'missing') this.noteMissingRight();
      // Counts as held until a review has been refused: only a pod that is ready gets one. Then only a review tells.
      else this.noteContact();
    } catch (error) {
      this.noteFailure(error);
    }
  }

  /** From the given period on, up to the longest. */
  private keepLooking(firstPeriodMs: number): void {
    const { clock, random = Math.random } = this.context;
    let nextPeriodMs = firstPeriodMs;
    this.stop();
    this.stop = repeat(
      clock,
      () => {
        const periodMs = nextPeriodMs * (1 - JITTER_SHARE * random());
        nextPeriodMs = Math.min(2 * nextPeriodMs, MAX_CHECK_PERIOD_MS);
        return periodMs;
      },
      async () => {
        if (this.current().status !== 'ready') await this.check();
      },
    );
  }

  private noteMissingRight(): void {
    if (this.isStarted && !this.isRightMissing) this.keepLooking(CHECK_PERIOD_AFTER_REFUSAL_MS);
    this.isRightMissing = true;
    this.noteContact();
  }

  private noteContact(): void {
    this.hasAnswered = true;
    this.failure = undefined;
  }
}
