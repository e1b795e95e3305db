import { createPrincipal } from '../../identity/principal.js';
import { parseCompactJws, type UnverifiedJws } from '../../jwt/compact-jws.js';
import { expired } from '../../jwt/jwt-claims.js';
import { type Clock } from '../../util/clock.js';
import { type Reviewer } from '../reviews/reviewer.js';
import { checkBeforeReview, type UnverifiedToken } from '../reviews/review.js';
import { type Verdict, type Verify } from '../verifier.js';
import { type CallerConnection } from '../../api-server/fair-queue.js';
import { type SignatureFilter } from './signature-filter.js';

export interface TokenReviewVerifierContext {
  readonly reviewer: Pick<Reviewer, 'review'>;
  /** Omitted: every token is reviewed without a look at its signature. */
  readonly filter?: Pick<SignatureFilter, 'isProven'> | undefined;
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

  readonly verify: Verify = (token, audiences, connection) => {
    const jws = parseCompactJws(token);
    const unverified = checkBeforeReview(jws, audiences, this.context.clock.wallMs());
    return this.review(jws, audiences, unverified, connection);
  };

  private async review(
    jws: UnverifiedJws,
    audiences: readonly string[],
    unverified: UnverifiedToken,
    connection: CallerConnection | undefined,
  ): Promise<Verdict> {
    const { reviewer, filter, clock, successLifetimeMs } = this.context;
    const isFirst = (await filter?.isProven(jws)) ?? false;
    const facts = await reviewer.review(jws.token, audiences, unverified, { isFirst, connection });
    const nowMs = clock.wallMs();
    const validUntilMs = facts.expiresAtMs ?? nowMs + successLifetimeMs;
    // The API server allows for a minute of clock skew, and its answer may have taken seconds.
    if (facts.expiresAtMs !== undefined && validUntilMs <= nowMs) throw expired(validUntilMs, nowMs);
    return { principal: createPrincipal(facts), validUntilMs };
  }
}
