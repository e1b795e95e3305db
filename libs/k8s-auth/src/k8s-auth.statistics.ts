import { type DestinationState, type K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Readiness } from './util/readiness.js';
import { type K8sAuthSelfCheck, type SelfCheckSnapshot } from './k8s-auth.self-check.js';
import {
  type K8sAuthWouldRefuseCounts,
  type WouldRefuseCount,
} from './inbound/request/would-refuse-counts.js';
import { type K8sAuthReadiness } from './k8s-auth.readiness.js';
import { type Verifier, type VerifierStatistics } from './verifiers/verifier.js';

/** The state of one `K8sAuthModule` at one moment. @publicApi */
export interface Statistics {
  /** The kind of the verifier; `none` in a service that only calls others. */
  readonly verifier: string;
  /** Omitted in a service that only calls others, and for a verifier of your own that has none. */
  readonly verification?: VerifierStatistics;
  readonly readiness: Readiness;
  readonly destinations: readonly DestinationState[];
  /** The service's own tokens and its clock. */
  readonly selfCheck: SelfCheckSnapshot;
  /** Of the routes with `enforce: false`. */
  readonly wouldRefuse: readonly WouldRefuseCount[];
}

/** The dependencies of {@link K8sAuthStatistics}. @internal */
export interface MeasuredParts {
  readonly kind: string | undefined;
  readonly verifier: Verifier | undefined;
  readonly tokenSource: Pick<K8sAuthTokenSource, 'states'>;
  readonly readiness: Pick<K8sAuthReadiness, 'peek'>;
  readonly selfCheck: Pick<K8sAuthSelfCheck, 'snapshot'>;
  readonly wouldRefuse: Pick<K8sAuthWouldRefuseCounts, 'list'>;
}

/** Figures for monitoring, read when somebody asks for them. `nest-k8s-auth/prometheus` exports them. @publicApi */
export class K8sAuthStatistics {
  /** @internal */
  constructor(private readonly parts: MeasuredParts) {}

  current(): Statistics {
    const { kind = 'none', verifier, tokenSource, readiness, selfCheck, wouldRefuse } = this.parts;
    const verification = verifier?.statistics?.();
    return {
      verifier: kind,
      ...(verification && { verification }),
      readiness: readiness.peek(),
      destinations: tokenSource.states(),
      selfCheck: selfCheck.snapshot(),
      wouldRefuse: wouldRefuse.list(),
    };
  }
}
