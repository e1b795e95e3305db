import { type K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Log } from './util/log.js';
import { type Verifier } from './verifiers/verifier.js';
import { type Readiness } from './util/readiness.js';

/**
 * Whether this service can verify its callers and has tokens for its own calls. For a readiness endpoint.
 * @publicApi
 */
export class K8sAuthReadiness {
  private logged: Readiness = { status: 'ready' };
  /** The readiness of the verifier before it is started. */
  private readonly initial: Readiness | undefined;

  /** @internal */
  constructor(
    private readonly verifier: Verifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly log: Log,
  ) {
    this.initial = verifier?.readiness();
  }

  /**
   * `ready`: the service has had keys or an answer of the API server at least once, has the rights it needs, and has a
   * token for each destination. `degraded`: the same, but a server is unreachable now. A degraded service should stay in
   * the load balancer, because the outage affects all replicas at once. `not-ready`: anything else.
   *
   * Each change is logged with its reason. The reason names addresses, files and rights: show only the status to clients
   * that you do not trust.
   */
  check(): Readiness {
    const readiness = this.current();
    if (!isSame(readiness, this.logged)) {
      this.logged = readiness;
      const event = { message: 'readiness has changed', ...readiness };
      // A service that has just started is not ready for a moment. That is normal, so it is not a warning.
      if (readiness.status === 'ready' || isSame(readiness, this.initial)) this.log.log(event);
      else this.log.warn(event);
    }
    return readiness;
  }

  private current(): Readiness {
    const inbound: Readiness = this.verifier?.readiness() ?? { status: 'ready' };
    const missing = this.tokenSource.states().filter(({ hasToken }) => !hasToken);
    if (inbound.status === 'not-ready' || missing.length === 0) return inbound;
    return { status: 'not-ready', reason: `no token for ${missing.map(({ origin }) => origin).join(', ')}` };
  }
}

function isSame(one: Readiness, other: Readiness | undefined): boolean {
  return one.status === other?.status && one.reason === other.reason && one.note === other.note;
}
