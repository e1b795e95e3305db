import { Inject, Injectable } from '@nestjs/common';
import { K8S_AUTH_VERIFIER } from './inbound/inbound-root.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Readiness, type TokenVerifier } from './verifiers/token-verifier.js';

/**
 * Whether this service can tell who calls it and can say who it is, for a readiness endpoint.
 * @publicApi
 */
@Injectable()
export class K8sAuthReadiness {
  constructor(
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: TokenVerifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
  ) {}

  /**
   * `ready`: has had keys, or an answer of the API server, once, lacks no right, and holds a token for each
   * destination. `degraded`: the same, but an outage lasts; leaving the load balancer would only make it worse, as
   * every replica has the same outage.
   */
  check(): Readiness {
    const inbound: Readiness = this.verifier?.readiness() ?? { status: 'ready' };
    const missing = this.tokenSource.states().filter(({ hasToken }) => !hasToken);
    if (inbound.status === 'not-ready' || missing.length === 0) return inbound;
    return { status: 'not-ready', reason: `no token for ${missing.map(({ origin }) => origin).join(', ')}` };
  }
}
