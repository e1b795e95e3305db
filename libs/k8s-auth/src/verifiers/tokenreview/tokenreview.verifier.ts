import { type TokenReviewClient } from '../../api-server/token-review.client.js';
import { createPrincipal } from '../../identity/principal.js';
import { expired } from '../../jwt/jwt-claims.js';
import { type Clock } from '../../util/clock.js';
import { type Verdict } from '../verifier.js';
import { type ReviewReadiness } from './review-readiness.js';
import { readReview } from './tokenreview.mapper.js';
import { checkBeforeReview, type UnverifiedToken } from './unverified-token.js';

export interface TokenReviewVerifierContext {
  readonly reviews: Pick<TokenReviewClient, 'review'>;
  readonly readiness: Pick<ReviewReadiness, 'noteAnswer' | 'noteFailure'>;
  readonly clock: Clock;
  /** How long the verdict on a token without `exp` may be kept, milliseconds. */
  readonly successLifetimeMs: number;
}

/**
 * Asks the API server whose token it is. A cheap check comes first and throws synchronously; a token that passes it is
 * reviewed, each time: remembering is the business of the cache in front.
 * @internal
 */
export class TokenReviewVerifier {
  constructor(private readonly context: TokenReviewVerifierContext) {}

  readonly verify = (token: string, audiences: readonly string[]): Promise<Verdict> => {
    const unverified = checkBeforeReview(token, audiences, this.context.clock.wallMs());
    return this.review(token, audiences, unverified);
  };

  private async review(
    token: string,
    audiences: readonly string[],
    unverified: UnverifiedToken,
  ): Promise<Verdict> {
    const { reviews, readiness, clock, successLifetimeMs } = this.context;
    const status = await reviews.review(token, audiences).catch((error: unknown) => {
      readiness.noteFailure(error);
      throw error;
    });
    readiness.noteAnswer();
    const facts = readReview(status, audiences, unverified);
    const nowMs = clock.wallMs();
    const validUntilMs = facts.expiresAtMs ?? nowMs + successLifetimeMs;
    // The API server allows for a minute of clock skew, and its answer may have taken seconds.
    if (facts.expiresAtMs !== undefined && validUntilMs <= nowMs) throw expired(validUntilMs, nowMs);
    return { principal: createPrincipal(facts), validUntilMs };
  }
}
