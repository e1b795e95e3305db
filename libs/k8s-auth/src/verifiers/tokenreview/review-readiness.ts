import {
  REVIEW_RIGHT_MISSING,
  ReviewRightMissingError,
  type TokenReviewClient,
} from '../../api-server/token-review.client.js';
import { type Clock } from '../../shared/clock.js';
import { describeError, type Log } from '../../shared/log.js';
import { repeat } from '../../shared/timers.js';
import { type Readiness } from '../token-verifier.js';

// kube-apiserver looks again for an issuer that is away as often.
const LONGEST_CHECK_PERIOD_MS = 10_000;
const JITTER_SHARE = 0.2;

export interface ReviewReadinessContext {
  readonly reviews: Pick<TokenReviewClient, 'canReview'>;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter between checks. @default Math.random */
  readonly random?: () => number;
}

/**
 * Whether the API server answers our reviews. Ready after its first answer of any kind; an outage after that is only
 * `degraded`, because all replicas would see it and leave the Service together. A missing right is `not-ready` until
 * a check or a review shows that it is granted. While anything is wrong the API server is asked every 8 to 10 s, so
 * that it heals without traffic.
 * @internal
 */
export class ReviewReadiness {
  private hasAnswered = false;
  private isRightMissing = false;
  private failure?: string;
  private stop = () => {};

  constructor(private readonly context: ReviewReadinessContext) {}

  /** Looks now, and then as long as something is wrong. Never throws. */
  start(): void {
    const { clock, random = Math.random } = this.context;
    this.stop();
    void this.check();
    this.stop = repeat(
      clock,
      () => LONGEST_CHECK_PERIOD_MS * (1 - JITTER_SHARE * random()),
      async () => {
        if (this.readiness().status !== 'ready') await this.check();
      },
    );
  }

  close(): void {
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

  readiness(): Readiness {
    if (this.isRightMissing) return { status: 'not-ready', reason: REVIEW_RIGHT_MISSING };
    if (!this.hasAnswered) {
      return { status: 'not-ready', reason: this.failure ?? 'no answer of the API server yet' };
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

  private noteMissingRight(): void {
    this.isRightMissing = true;
    this.noteContact();
  }

  private noteContact(): void {
    this.hasAnswered = true;
    this.failure = undefined;
  }
}
