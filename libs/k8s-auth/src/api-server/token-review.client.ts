import { VerifierUnavailableError } from '../errors/index.js';
import { type Clock } from '../shared/clock.js';
import { type HttpsResponse } from '../shared/https-client.js';
import { type Log } from '../shared/log.js';
import { OncePerMinute } from '../shared/once-per-minute.js';
import { startDeadline } from '../shared/timers.js';
import { type ApiServerClient } from './api-server.client.js';
import { InFlightLimit } from './in-flight-limit.js';

const TOKEN_REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';
const SELF_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

// An API server gives one client few seats at a time (API Priority and Fairness); more would wait there, not here.
const MOST_IN_FLIGHT = 16;
const MOST_WAITING = 256;

/** `status` of a TokenReview (authentication.k8s.io/v1) as it came: nothing about it is checked. */
export interface TokenReviewStatus {
  readonly authenticated?: unknown;
  readonly audiences?: unknown;
  readonly user?: unknown;
  readonly error?: unknown;
}

/** May we create TokenReviews? `unknown`: the API server does not let us ask. */
export type ReviewRight = 'granted' | 'missing' | 'unknown';

/** Our own ServiceAccount lacks the right to create TokenReviews. @internal */
export class ReviewRightMissingError extends VerifierUnavailableError {}

/**
 * Has the API server look at a token. Input: token and audiences; output: the status it gave, whatever it says.
 * What is no such answer is a {@link VerifierUnavailableError}; no error or log line holds the token, an answer's text
 * included, because a TokenReview repeats it.
 * @internal
 */
export class TokenReviewClient {
  private readonly limit = new InFlightLimit(MOST_IN_FLIGHT, MOST_WAITING);
  private readonly onceAMinute: OncePerMinute;

  constructor(
    private readonly client: ApiServerClient,
    private readonly context: { readonly clock: Clock; readonly log: Log; readonly timeoutMs: number },
  ) {
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  /**
   * @throws {ReviewRightMissingError} 403
   * @throws {VerifierUnavailableError} no answer within the time, waiting for a free place included
   */
  async review(token: string, audiences: readonly string[]): Promise<TokenReviewStatus> {
    const { clock, timeoutMs } = this.context;
    const body = JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences },
    });
    const deadline = startDeadline(clock, timeoutMs);
    try {
      const response = await this.limit.run(deadline.signal, async () => {
        // A place that comes free in the last moment: those before us ran into the same deadline.
        if (deadline.remainingMs() === 0) {
          throw new VerifierUnavailableError('overload: no time left for a review');
        }
        return this.client.request({ method: 'POST', path: TOKEN_REVIEWS, body, deadline });
      });
      return this.readStatus(response);
    } finally {
      deadline.cancel();
    }
  }

  /** @throws {VerifierUnavailableError} no answer */
  async canReview(): Promise<ReviewRight> {
    const deadline = startDeadline(this.context.clock, this.context.timeoutMs);
    const asked = this.client.request({
      method: 'POST',
      path: SELF_REVIEWS,
      body: JSON.stringify({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: {
          resourceAttributes: { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' },
        },
      }),
      deadline,
      retry: false,
    });
    const response = await asked.finally(() => deadline.cancel());
    if (response.status === 403 || response.status === 404) return 'unknown';
    const { allowed } = statusOf(response, 'SelfSubjectAccessReview') as { readonly allowed?: unknown };
    if (allowed !== true) this.warnOfMissingRight();
    return allowed === true ? 'granted' : 'missing';
  }

  private readStatus(response: HttpsResponse): TokenReviewStatus {
    if (response.status !== 403) return statusOf(response, 'TokenReview');
    this.warnOfMissingRight();
    throw new ReviewRightMissingError(REVIEW_RIGHT_MISSING);
  }

  private warnOfMissingRight(): void {
    this.onceAMinute.run('right', () =>
      this.context.log.error({ message: REVIEW_RIGHT_MISSING, code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' }),
    );
  }
}

/** Names what grants it: the built-in ClusterRole. @internal */
export const REVIEW_RIGHT_MISSING =
  'own ServiceAccount may not create tokenreviews.authentication.k8s.io: no ClusterRoleBinding grants the ClusterRole system:auth-delegator, or another with this right, to it';

function statusOf({ status: code, body }: HttpsResponse, kind: string): object {
  const answer = code === 200 || code === 201 ? parseObject(body) : undefined;
  const status: unknown = answer && answer.kind === kind ? answer.status : undefined;
  if (typeof status === 'object' && status !== null && !Array.isArray(status)) return status;
  throw new VerifierUnavailableError(`API server answered ${code} without a ${kind} that has a status`);
}

/** Without a cause: what JSON.parse says quotes the text, and the text may repeat the token. */
function parseObject(text: string): { readonly kind?: unknown; readonly status?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
