import { VerifierUnavailableError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { type HttpsResponse } from '../http/https-client.js';
import { type Log } from '../util/log.js';
import { OncePerMinute } from '../util/log.js';
import { type Deadline, startDeadline } from '../util/timers.js';
import { type ApiServerClient } from './api-server.client.js';
import { readOwnUserName } from './own-credential.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { statusOf } from './review-answer.js';
import { FairQueue, type QueuedCall, OverloadError } from './fair-queue.js';

const TOKEN_REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';
const SELF_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

// An API server gives one client few seats at a time (API Priority and Fairness). More requests would wait there.
const MAX_IN_FLIGHT = 16;
const MAX_WAITING = 256;

const SELF_REVIEW = JSON.stringify({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  spec: { resourceAttributes: { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' } },
});

/** The `spec` of a TokenReview (authentication.k8s.io/v1). */
interface ReviewSpec {
  readonly token: string;
  readonly audiences?: readonly string[];
}

/** The `status` of a TokenReview (authentication.k8s.io/v1). Only the type of `authenticated` is checked. */
export interface TokenReviewStatus {
  readonly authenticated?: unknown;
  readonly audiences?: unknown;
  readonly user?: unknown;
  readonly error?: unknown;
}

/** The reviews of one verifier, now. @publicApi */
export interface ReviewStatistics {
  readonly inFlight: number;
  /** Reviews that wait for a free place. */
  readonly waiting: number;
  /** Whether the API server counts as unreachable, so that no review is sent. */
  readonly isCircuitOpen: boolean;
}

/** Whether we may create TokenReviews. `unknown`: the API server does not allow this question. */
export type ReviewRight = 'granted' | 'missing' | 'unknown';

/** Our own ServiceAccount lacks the right to create TokenReviews. @internal */
export class ReviewRightMissingError extends VerifierUnavailableError {}

/**
 * Asks the API server to review a token. Input: token and audiences; output: the status of the TokenReview, which may
 * be a refusal. Every other answer is a {@link VerifierUnavailableError}. No error or log line contains the token or
 * the text of an answer, because a TokenReview repeats the token. While the API server is unreachable or has asked for
 * a pause, nothing is sent and no caller waits.
 * @internal
 */
export class TokenReviewClient {
  private readonly queue = new FairQueue(MAX_IN_FLIGHT, MAX_WAITING);
  private readonly breaker: CircuitBreaker;
  private readonly onceAMinute: OncePerMinute;
  /** The message for a missing right: which right, and which user lacks it. */
  missingRight = reviewRightMissing();

  constructor(
    private readonly client: ApiServerClient,
    private readonly context: { readonly clock: Clock; readonly log: Log; readonly timeoutMs: number },
  ) {
    this.breaker = new CircuitBreaker({ ...context, probe: (deadline) => this.probe(deadline) });
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  /**
   * @param call rank and connection of the call, for its turn when too many reviews are running
   * @throws {ReviewRightMissingError} the API server answered 403
   * @throws {VerifierUnavailableError} no answer within the timeout, which includes the wait for a free place
   */
  async review(
    token: string,
    audiences: readonly string[],
    call: QueuedCall = { rank: 'unknown' },
  ): Promise<TokenReviewStatus> {
    // Check before the queue, so that no call waits for a place only to be refused.
    this.client.assertNoPause();
    const permitted = this.breaker.enter();
    let response: HttpsResponse;
    try {
      response = await this.postInTurn({ token, audiences }, call, permitted.deadline);
    } catch (error) {
      this.breaker.leave(permitted, error);
      throw error;
    }
    this.breaker.leave(permitted);
    return this.readStatus(response);
  }

  /** @throws {VerifierUnavailableError} the API server did not answer */
  async canReview(): Promise<ReviewRight> {
    const deadline = startDeadline(this.context.clock, this.context.timeoutMs);
    try {
      const response = await this.client.request({
        method: 'POST',
        path: SELF_REVIEWS,
        body: SELF_REVIEW,
        deadline,
        retry: false,
        onAnswer: () => this.breaker.noteReachable(),
      });
      return await this.readRight(response);
    } finally {
      deadline.cancel();
    }
  }

  statistics(): ReviewStatistics {
    const { inFlight, waiting } = this.queue;
    return { inFlight, waiting, isCircuitOpen: this.breaker.isOpen };
  }

  /** Stops the background work. */
  close(): void {
    this.breaker.stop();
  }

  /**
   * Reviews an empty token. The API server answers 400 if we may create TokenReviews, and 403 if not. Both answers
   * prove that it works.
   */
  private probe(deadline: Deadline): Promise<unknown> {
    return this.post({ token: '' }, deadline);
  }

  private async postInTurn(spec: ReviewSpec, call: QueuedCall, deadline: Deadline): Promise<HttpsResponse> {
    const turn = this.queue.enter(deadline, call);
    if (turn) await turn;
    try {
      return await this.post(spec, deadline);
    } finally {
      this.queue.leave(call);
    }
  }

  private post(spec: ReviewSpec, deadline: Deadline): Promise<HttpsResponse> {
    // The place became free in the last moment, because the calls before this one reached the same deadline.
    if (deadline.remainingMs() === 0) throw new OverloadError('overload: no time left for a review');
    return this.client.request({
      method: 'POST',
      path: TOKEN_REVIEWS,
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec }),
      deadline,
      retry: spec.token !== '',
      onAnswer: () => this.breaker.noteAnswer(),
    });
  }

  private async readRight(response: HttpsResponse): Promise<ReviewRight> {
    if (response.status === 403 || response.status === 404) return 'unknown';
    const { allowed } = statusOf(response, 'SelfSubjectAccessReview', 'allowed');
    if (allowed !== true) await this.noteMissingRight();
    return allowed === true ? 'granted' : 'missing';
  }

  private async readStatus(response: HttpsResponse): Promise<TokenReviewStatus> {
    if (response.status !== 403) return statusOf(response, 'TokenReview', 'authenticated');
    await this.noteMissingRight();
    throw new ReviewRightMissingError(this.missingRight);
  }

  private async noteMissingRight(): Promise<void> {
    this.missingRight = reviewRightMissing(await readOwnUserName(this.client));
    this.onceAMinute.run('right', () =>
      this.context.log.error({ message: this.missingRight, code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' }),
    );
  }
}

/** Names the built-in ClusterRole that grants the right, and the user that lacks it. @internal */
export function reviewRightMissing(name = 'our own ServiceAccount'): string {
  return `own ServiceAccount may not create tokenreviews.authentication.k8s.io: no ClusterRoleBinding grants the ClusterRole system:auth-delegator, or another with this right, to ${name}`;
}
