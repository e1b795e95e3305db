import { type ApiServerClient } from '../../api-server/api-server.client.js';
import { type TokenReviewClient } from '../../api-server/token-review.client.js';
import { createPrincipal } from '../../identity/principal.js';
import { type Clock } from '../../util/clock.js';
import { type Log } from '../../util/log.js';
import { audiencesNamedBy } from '../../jwt/unverified-claims.js';
import { expired } from '../../jwt/jwt-claims.js';
import { type Readiness, type TokenVerifier, type Verdict } from '../token-verifier.js';
import { ReviewReadiness } from './review-readiness.js';
import { readReview } from './tokenreview.mapper.js';
import { checkBeforeReview, type UnverifiedToken } from './unverified-token.js';

export interface TokenReviewVerifierContext {
  readonly client: ApiServerClient;
  readonly reviews: TokenReviewClient;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the verdict on a token without `exp` may be kept. */
  readonly successLifetimeMs: number;
}

/**
 * Asks the API server whose token it is. A cheap look comes first and throws at once; what passes it is reviewed,
 * each time: remembering is the business of the cache in front.
 * @internal
 */
export class TokenReviewVerifier implements TokenVerifier {
  readonly kind = 'tokenreview';
  private readonly state: ReviewReadiness;

  constructor(private readonly context: TokenReviewVerifierContext) {
    this.state = new ReviewReadiness(context);
  }

  verify(token: string, audiences: readonly string[]): Promise<Verdict> {
    const unverified = checkBeforeReview(token, audiences, this.context.clock.wallMs());
    return this.review(token, audiences, unverified);
  }

  hydrate(): void {
    this.state.start();
  }

  readiness(): Readiness {
    return this.state.readiness();
  }

  /**
   * What our own API token is made for: the API server made it for itself. None when the credential is no token: then
   * there is nothing to tell them by, now or later.
   */
  async apiServerAudiences(): Promise<readonly string[] | undefined> {
    try {
      return audiencesNamedBy((await this.context.client.ownClaims()) ?? {});
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.state.close();
    this.context.reviews.close();
    await this.context.client.close();
  }

  private async review(
    token: string,
    audiences: readonly string[],
    unverified: UnverifiedToken,
  ): Promise<Verdict> {
    const { reviews, clock, successLifetimeMs } = this.context;
    const status = await reviews.review(token, audiences).catch((error: unknown) => {
      this.state.noteFailure(error);
      throw error;
    });
    this.state.noteAnswer();
    const facts = readReview(status, audiences, unverified);
    const nowMs = clock.wallMs();
    const validUntilMs = facts.expiresAtMs ?? nowMs + successLifetimeMs;
    // The API server allows for a minute of clock skew, and its answer may have taken seconds.
    if (facts.expiresAtMs !== undefined && validUntilMs <= nowMs) throw expired(validUntilMs, nowMs);
    return { principal: createPrincipal(facts), validUntilMs };
  }
}
