/** Whether a service can do its work; `degraded` still serves, but from what it had before an outage. @publicApi */
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
