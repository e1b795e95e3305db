/**
 * Whether a service can do its work. `degraded`: an outage lasts, and what the verifier had before is used: keys for hours,
 * verdicts of reviews for seconds, after which callers get 503.
 * @publicApi
 */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  /** Why it is not `ready`. Holds no token text and no data of callers. */
  readonly reason?: string;
  /** What an operator should know of a service that works. Holds no token text and no data of callers either. */
  readonly note?: string;
}

const FROM_BAD_TO_GOOD: readonly Readiness['status'][] = ['not-ready', 'degraded', 'ready'];

/** Of two parts that are both needed. @internal */
export function worseOf(one: Readiness, other: Readiness): Readiness {
  const rank = ({ status }: Readiness) => FROM_BAD_TO_GOOD.indexOf(status);
  return rank(one) <= rank(other) ? one : other;
}
