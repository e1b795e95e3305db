import {
  reviewRightMissing,
  ReviewRightMissingError,
  type TokenReviewClient,
} from '../../api-server/token-review.client.js';
import { type Clock } from '../../util/clock.js';
import { describeError, type Log } from '../../util/log.js';
import { repeat } from '../../util/timers.js';
import { type Readiness } from '../../util/readiness.js';

// The period at which kube-apiserver retries an unreachable issuer.
const MAX_CHECK_PERIOD_MS = 10_000;
const JITTER_SHARE = 0.2;
// After a 403 the first check comes sooner, and the period doubles with each check. An API server that has just started
// refuses all requests until it has read its roles, and without early checks all replicas would leave the Service.
const CHECK_PERIOD_AFTER_REFUSAL_MS = 1_000;

export interface ReviewReadinessContext {
  readonly reviews: Pick<TokenReviewClient, 'canReview'> & Partial<Pick<TokenReviewClient, 'missingRight'>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Returns a number from 0 to 1, for the jitter between checks. @default Math.random */
  readonly random?: () => number;
}

/**
 * Whether the API server answers our reviews.
 *
 * - `ready` after the first answer of any kind.
 * - A later outage is only `degraded`, because it affects all replicas, which would leave the Service together.
 * - A missing right is `not-ready` until a check or a review shows that it is granted.
 * - While the status is not `ready`, the API server is asked every 8 to 10 s, so that the service recovers without
 *   traffic. If the right is missing, the first checks come sooner.
 * @internal
 */
export class ReviewReadiness {
  private hasAnswered = false;
  private isRightMissing = false;
  private failure?: string;
  private isStarted = false;
  private stop = () => {};

  constructor(private readonly context: ReviewReadinessContext) {}

  /** Checks now, and then repeatedly while the status is not `ready`. Never throws. */
  start(): void {
    this.isStarted = true;
    this.scheduleChecks(MAX_CHECK_PERIOD_MS);
    void this.check();
  }

  close(): void {
    this.isStarted = false;
    this.stop();
  }

  /** Must be called when a review was answered, with any verdict: the API server is reachable and the right is granted. */
  noteAnswer(): void {
    if (this.isRightMissing)
      this.context.log.log({ message: 'own ServiceAccount may create tokenreviews now' });
    this.isRightMissing = false;
    this.noteContact();
  }

  noteFailure(error: unknown): void {
    if (error instanceof ReviewRightMissingError) this.noteMissingRight();
    else this.failure = describeError(error);
  }

  /** @param needsAnswer whether the status is `not-ready`, not only `degraded`, while the API server has never answered */
  current({ needsAnswer = true } = {}): Readiness {
    if (this.isRightMissing) {
      const { missingRight = reviewRightMissing() } = this.context.reviews;
      return { status: 'not-ready', reason: missingRight };
    }
    if (!this.hasAnswered) {
      const reason = this.failure ?? 'no answer from the API server yet';
      return { status: needsAnswer ? 'not-ready' : 'degraded', reason };
    }
    return this.failure === undefined ? { status: 'ready' } : { status: 'degraded', reason: this.failure };
  }

  private async check(): Promise<void> {
    try {
      const right = await this.context.reviews.canReview();
      if (right === 'granted') this.noteAnswer();
      else if (right === 'missing') this.noteMissingRight();
      // Unknown: assume that the right is granted. Only a ready pod receives requests, and a refused review corrects this.
      // After such a refusal only a review can show that the right is granted.
      else this.noteContact();
    } catch (error) {
      this.noteFailure(error);
    }
  }

  /** The period doubles from the given one up to {@link MAX_CHECK_PERIOD_MS}. */
  private scheduleChecks(firstPeriodMs: number): void {
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
    if (this.isStarted && !this.isRightMissing) this.scheduleChecks(CHECK_PERIOD_AFTER_REFUSAL_MS);
    this.isRightMissing = true;
    this.noteContact();
  }

  private noteContact(): void {
    this.hasAnswered = true;
    this.failure = undefined;
  }
}
