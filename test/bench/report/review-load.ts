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

/** Without the caches' limits: how often one replica reviews the tokens of one caller. */
interface Renewal {
  /** The shortest time between two reviews of one token, seconds. */
  readonly shortest: number;
  /** The average time between two reviews of one token, seconds. */
  readonly average: number;
  /** The additional reviews of one token, of callers that use their token all the time. */
  readonly additional: { readonly average: number; readonly max: number };
}

/**
 * A replica reviews a token at its first use, and again at the first use after T. On average, the first use after T is
 * 1/λ later, where λ = r/N is the rate at which one replica sees one caller. A token is reviewed R/T times, rounded up.
 */
function tokenreviewRenewal(rate: number, lifetime: number): Renewal {
  return { shortest: lifetime, average: lifetime + 1 / rate, additional: { average: 0.5, max: 1 } };
}

/**
 * The next review starts without a request if the token was used since the last one, otherwise with its next use: 1/λ later
 * in the share e^-λP of all periods. A replaced token is reviewed once more after its last use.
 */
function hybridRenewal(rate: number, period: number): Renewal {
  const shortest = RENEWAL_SHARE * period;
  const average = shortest + Math.exp(-rate * shortest) / rate;
  return { shortest, average, additional: { average: 1.5, max: 2 } };
}

const RENEWALS = { tokenreview: tokenreviewRenewal, hybrid: hybridRenewal };
const PERIOD_SECONDS = { tokenreview: SUCCESS_LIFETIME_SECONDS, hybrid: REVOCATION_CHECK_SECONDS };

/** @param periodSeconds T or P */
export function reviewsPerSecond(
  verifier: ReviewingVerifier,
  load: CallerLoad,
  periodSeconds = PERIOD_SECONDS[verifier],
): number {
  const { replicas, callers, requestsPerSecond, rotationSeconds } = load;
  const rate = requestsPerSecond / replicas;
  const { shortest, average, additional } = RENEWALS[verifier](rate, periodSeconds);
  // A caller that uses its token rarely has no answer to lose when it gets a new token.
  const perRotation = additional.average * (shortest / average) ** 2;
  const renewed = 1 / average + perRotation / rotationSeconds;
  const perPair = Math.max(renewed, rate * evictedShare(callers, MAX_TOKENS[verifier]));
  return Math.min(replicas * callers * perPair, callers * requestsPerSecond);
}

/** The limit for any traffic, if the tokens fit into the cache: N × M × (1/T + 1/R), or N × M × (1/0.99P + 2/R). */
export function maxReviewsPerSecond(
  verifier: ReviewingVerifier,
  { replicas, callers, rotationSeconds }: Omit<CallerLoad, 'requestsPerSecond'>,
  periodSeconds = PERIOD_SECONDS[verifier],
): number {
  const { shortest, additional } = RENEWALS[verifier](Infinity, periodSeconds);
  return replicas * callers * (1 / shortest + additional.max / rotationSeconds);
}

/**
 * If M is larger than C, a replica no longer has the token of a random request with the probability 1 - C/M, because it
 * keeps the C tokens that were used last.
 */
function evictedShare(callers: number, maxTokens: number): number {
  return Math.max(0, 1 - maxTokens / callers);
}
