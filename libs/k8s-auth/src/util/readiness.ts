/**
 * Whether a service can do its work. `degraded`: a server is unreachable, and the verifier uses what it fetched before:
 * keys for hours, verdicts of reviews for seconds. After that time callers get 503.
 * @publicApi
 */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  /** Names the reason in a stable form, if it is one of the `SelfCheckCode`s. */
  readonly code?: string;
  /** Why the status is not `ready`. Contains no token text and no data of callers. */
  readonly reason?: string;
  /** Information for operators that does not affect the status. Contains no token text and no data of callers. */
  readonly note?: string;
}

const WORST_FIRST: readonly Readiness['status'][] = ['not-ready', 'degraded', 'ready'];

/** The worse readiness of two parts that are both needed. @internal */
export function worseOf(one: Readiness, other: Readiness): Readiness {
  const rank = ({ status }: Readiness) => WORST_FIRST.indexOf(status);
  return rank(one) <= rank(other) ? one : other;
}
