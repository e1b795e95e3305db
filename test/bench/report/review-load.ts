/**
 * How many TokenReviews per second a service causes. `review-load.spec.ts` compares these formulas with a simulation that
 * uses the caches of the library, and docs/performance.md explains them.
 */

export type ReviewingVerifier = 'tokenreview' | 'hybrid';

/** The callers of one service. */
export interface CallerLoad {
  /** N: the replicas of the service. */
  readonly replicas: number;
  /** M: the callers, each with one live token at a time. */
  readonly callers: number;
  /** r: the requests per second that one caller sends to all replicas together. */
  readonly requestsPerSecond: number;
  /** R: how often a caller gets a new token, seconds. */
  readonly rotationSeconds: number;
}

/** T: the default of `successLifetimeMs`, in seconds. */
export const SUCCESS_LIFETIME_SECONDS = 10;
/** P: the default of `revocationCheckMs`, in seconds. */
export const REVOCATION_CHECK_SECONDS = 60;
/** C: how many accepted tokens one replica remembers. */
export const MAX_TOKENS = { tokenreview: 5_000, hybrid: 10_000 } as const;
/** The kubelet replaces a token after 80 % of its lifetime: after 480 s with `expirationSeconds: 600`. */
export const ROTATION_SECONDS = 480;
/** `hybrid` starts the next review when this share of the period is over, so that no request waits for it. */
export const RENEWAL_SHARE = 0.99;

/** `oidc-discovery` sends no review, and each replica fetches two documents every 5 minutes. */
export const DOCUMENTS_PER_SECOND = 2 / 300;

/** How often one replica reviews the tokens of one caller, if the cache is large enough. */
interface Renewal {
  /** The average time between two reviews of a token that is never replaced, seconds. */
  readonly averageSeconds: number;
  /** The average number of additional reviews of each new token. */
  readonly additional: number;
}

/**
 * A replica reviews a token at its first use, and again at the first use after T. On average, the first use after T is
 * 1/λ later, where λ = r/N is the rate at which one replica sees one caller.
 */
function tokenreviewRenewal(rate: number, lifetime: number): Renewal {
  const averageSeconds = lifetime + 1 / rate;
  // A busy token is reviewed R/T times, rounded up: half a review more on average. In general, this is the asymptotic
  // excess of a renewal process whose first event comes after 1/λ.
  return { averageSeconds, additional: (lifetime / averageSeconds) ** 2 / 2 };
}

/**
 * The next review starts without a request if the token was used since the last one. Otherwise it starts with the next
 * use: 1/λ later, in the share e^-λP of all periods.
 */
function hybridRenewal(rate: number, periodSeconds: number): Renewal {
  const period = RENEWAL_SHARE * periodSeconds;
  const wait = 1 / rate;
  const unused = Math.exp(-rate * period);
  const averageSeconds = period + unused * wait;
  const square = period ** 2 + 2 * unused * wait * (period + wait);
  // As above, and a replaced token is reviewed once more if it was used in its last period.
  const atEnd = (period - (1 - unused) * wait) / averageSeconds;
  return { averageSeconds, additional: square / (2 * averageSeconds ** 2) - wait / averageSeconds + atEnd };
}

const RENEWALS = { tokenreview: tokenreviewRenewal, hybrid: hybridRenewal };
const PERIOD_SECONDS = { tokenreview: SUCCESS_LIFETIME_SECONDS, hybrid: REVOCATION_CHECK_SECONDS };

/**
 * The average, if requests arrive at random times.
 * @param periodSeconds T or P
 */
export function reviewsPerSecond(
  verifier: ReviewingVerifier,
  load: CallerLoad,
  periodSeconds = PERIOD_SECONDS[verifier],
): number {
  const { replicas, callers, requestsPerSecond, rotationSeconds } = load;
  const rate = requestsPerSecond / replicas;
  const { averageSeconds, additional } = RENEWALS[verifier](rate, periodSeconds);
  const renewed = 1 / averageSeconds + additional / rotationSeconds;
  const perPair = Math.max(renewed, rate * evictedShare(callers, MAX_TOKENS[verifier]));
  return Math.min(replicas * callers * perPair, callers * requestsPerSecond);
}

/**
 * The limit for any traffic, if the tokens fit into the cache: N × M × (1/T + 1/R), or N × M × (1/0.99P + 2/R). `hybrid`
 * reviews a replaced token once more after its last use.
 */
export function maxReviewsPerSecond(
  verifier: ReviewingVerifier,
  { replicas, callers, rotationSeconds }: Omit<CallerLoad, 'requestsPerSecond'>,
  periodSeconds = PERIOD_SECONDS[verifier],
): number {
  const perPair =
    verifier === 'tokenreview'
      ? 1 / periodSeconds + 1 / rotationSeconds
      : 1 / (RENEWAL_SHARE * periodSeconds) + 2 / rotationSeconds;
  return replicas * callers * perPair;
}

/**
 * If M is larger than C, a replica no longer has the token of a random request with the probability 1 - C/M, because it
 * keeps the C tokens that were used last.
 */
function evictedShare(callers: number, maxTokens: number): number {
  return Math.max(0, 1 - maxTokens / callers);
}
