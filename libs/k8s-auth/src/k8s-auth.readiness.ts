import { type K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type K8sAuthSelfCheck } from './k8s-auth.self-check.js';
import { type Clock } from './util/clock.js';
import { type Log } from './util/log.js';
import { type Verifier } from './verifiers/verifier.js';
import { type Readiness } from './util/readiness.js';

const CHANGED = 'readiness has changed';
// Keys usually arrive within milliseconds. A service that does not become ready is looked at as often as by a probe.
const MIN_LOOK_DELAY_MS = 100;
const MAX_LOOK_DELAY_MS = 5_000;

/**
 * Whether this service can verify its callers and has tokens for its own calls. For a readiness endpoint.
 * @publicApi
 */
export class K8sAuthReadiness {
  private logged: Readiness = { status: 'ready' };
  private hasLogged = false;
  /** The readiness of the verifier before it is started. */
  private readonly initial: Readiness | undefined;

  /** @internal */
  constructor(
    private readonly verifier: Verifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly log: Log,
    private readonly selfCheck?: Pick<K8sAuthSelfCheck, 'snapshot'>,
  ) {
    this.initial = verifier?.readiness();
  }

  /**
   * `ready`: the service has had keys or an answer of the API server at least once, has the rights it needs, and has a
   * token for each destination. `degraded`: the same, but a server is unreachable now, or {@link K8sAuthSelfCheck} has
   * found a problem, which `code` names. A degraded service should stay in the load balancer, because the problem usually
   * affects all replicas at once. `not-ready`: anything else.
   *
   * Each change is logged with its reason. The reason names addresses, files and rights: show only the status to clients
   * that you do not trust.
   */
  check(): Readiness {
    const readiness = this.peek();
    if (!isSame(readiness, this.logged)) {
      this.logged = readiness;
      this.hasLogged = true;
      const event = { message: CHANGED, ...readiness };
      // A service that has just started is not ready for a moment. That is normal, so it is not a warning.
      if (readiness.status === 'ready' || isSame(readiness, this.initial)) this.log.log(event);
      else this.log.warn(event);
    }
    return readiness;
  }

  /**
   * Logs a problem of the self check, or its end, even if no readiness endpoint calls `check`.
   * @internal
   */
  logChange(): void {
    const hadProblem = this.logged.code !== undefined;
    if (hadProblem || this.peek().code !== undefined) this.check();
  }

  /**
   * Logs when the service is ready for the first time, and why it is not, even if no readiness endpoint calls `check`.
   * @returns a function that ends this
   * @internal
   */
  watchUntilReady(clock: Clock): () => void {
    let cancel = () => {};
    const look = (nextDelayMs: number) => {
      const readiness = this.peek();
      const isFirst = !this.hasLogged && readiness.status === 'ready';
      if (isFirst) this.log.log({ message: CHANGED, ...readiness });
      // The state directly after the start lasts a moment, and is not worth a line.
      else if (!isSame(readiness, this.initial)) this.check();
      if (readiness.status === 'ready') return;
      cancel = clock.schedule(nextDelayMs, () => look(Math.min(2 * nextDelayMs, MAX_LOOK_DELAY_MS)));
    };
    cancel = clock.schedule(MIN_LOOK_DELAY_MS, () => look(MIN_LOOK_DELAY_MS));
    return () => cancel();
  }

  /** Like `check`, but logs nothing. For figures that somebody collects. @internal */
  peek(): Readiness {
    const inbound: Readiness = this.verifier?.readiness() ?? { status: 'ready' };
    const missing = this.tokenSource.states().filter(({ hasToken }) => !hasToken);
    if (inbound.status !== 'not-ready' && missing.length > 0)
      return {
        status: 'not-ready',
        reason: `no token for ${missing.map(({ origin }) => origin).join(', ')}`,
      };
    return inbound.status === 'ready' ? { ...inbound, ...this.ownProblems() } : inbound;
  }

  private ownProblems(): Readiness | undefined {
    const problems = this.selfCheck?.snapshot().problems ?? [];
    const [first] = problems;
    return (
      first && {
        status: 'degraded',
        code: first.code,
        reason: problems.map(({ reason }) => reason).join('; '),
      }
    );
  }
}

function isSame(one: Readiness, other: Readiness | undefined): boolean {
  return one.status === other?.status && one.reason === other.reason && one.note === other.note;
}
