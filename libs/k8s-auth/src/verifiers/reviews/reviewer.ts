import * as z from 'zod';
import { ApiServerClient } from '../../api-server/api-server.client.js';
import { requireApiServer } from '../../api-server/api-server.connection.js';
import { type ApiServerOptions } from '../../api-server/api-server.options.js';
import { OverloadError, type QueuedCall } from '../../api-server/fair-queue.js';
import { type EventSink } from '../../events/k8s-auth.events.js';
import { formatUsername } from '../../identity/names.js';
import { type ReviewStatistics, TokenReviewClient } from '../../api-server/token-review.client.js';
import { type PrincipalFacts } from '../../identity/principal.js';
import { type VerifierContext } from '../verifier.js';
import { readReview, type UnverifiedToken } from './review.js';
import { ReviewReadiness } from './review-readiness.js';

/** @internal */
export const reviewTimeoutMsSchema = z.int().min(100).max(30_000);

export interface ReviewerOptions {
  readonly apiServer?: ApiServerOptions | undefined;
  /** The time for one review with all its retries, milliseconds. */
  readonly timeoutMs: number;
  /** Becomes the principal's `verifiedBy`. */
  readonly kind: string;
}

/**
 * Finds the API server. Does not connect yet.
 * @throws {ConfigurationError} no API server is found, or its settings are unusable
 * @internal
 */
export async function openReviewer(options: ReviewerOptions, context: VerifierContext): Promise<Reviewer> {
  const { clock, log, ownApiServer } = context;
  const connection = await requireApiServer(options.apiServer, context);
  const message = `tokens are reviewed by the API server at ${connection.url}`;
  log.log({ message, found: connection.description });
  const client = new ApiServerClient(connection, { clock, log, ...(ownApiServer && { ownApiServer }) });
  const reviews = new TokenReviewClient(client, { clock, log, timeoutMs: options.timeoutMs });
  return new Reviewer(
    client,
    reviews,
    new ReviewReadiness({ reviews, clock, log }),
    options.kind,
    connection.url,
    context.events,
  );
}

/** Asks the API server about tokens, and tracks whether it answers. Does not cache answers. @internal */
export class Reviewer {
  constructor(
    readonly client: ApiServerClient,
    private readonly reviews: TokenReviewClient,
    readonly readiness: ReviewReadiness,
    private readonly kind: string,
    readonly apiServerUrl: string,
    private readonly events?: EventSink,
  ) {}

  /**
   * Reviews a token.
   * @param call who waits for the review; decides the order when too many reviews are in flight
   * @returns the facts in the review
   * @throws {InvalidTokenError} REJECTED or AUDIENCE: the API server rejects the token
   * @throws {VerifierUnavailableError} the API server did not decide
   */
  review(
    token: string,
    audiences: readonly string[],
    unverified: UnverifiedToken,
    call: QueuedCall,
  ): Promise<PrincipalFacts> {
    const { events } = this;
    const ask = () => this.ask(token, audiences, unverified, call);
    if (!events?.hears('onOperation')) return ask();
    const operation = { name: 'review', verifier: this.kind, serverUrl: this.apiServerUrl } as const;
    const usernameOf = ({ namespace, serviceAccount }: PrincipalFacts) =>
      formatUsername({ namespace, name: serviceAccount });
    return Promise.resolve(events.observe(operation, ask, usernameOf));
  }

  private async ask(
    token: string,
    audiences: readonly string[],
    unverified: UnverifiedToken,
    call: QueuedCall,
  ): Promise<PrincipalFacts> {
    const status = await this.reviews.review(token, audiences, call).catch((error: unknown) => {
      // An overload, or a caller that has disconnected, says nothing about the API server.
      if (!(error instanceof OverloadError)) this.readiness.noteFailure(error);
      throw error;
    });
    this.readiness.noteAnswer();
    return readReview(status, audiences, unverified, this.kind);
  }

  statistics(): ReviewStatistics {
    return this.reviews.statistics();
  }

  start(): void {
    this.readiness.start();
  }

  async close(): Promise<void> {
    this.readiness.close();
    this.reviews.close();
    await this.client.close();
  }
}
