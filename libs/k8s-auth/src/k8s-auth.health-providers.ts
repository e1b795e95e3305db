import { type Provider } from '@nestjs/common';
import { OwnApiServer } from './api-server/own-api-server.js';
import { type CheckedOptions, type K8sAuthOptions } from './config/options.js';
import { K8S_AUTH_VERIFIER } from './inbound/inbound.constants.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { K8sAuthWouldRefuseCounts } from './inbound/request/would-refuse-counts.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { K8sAuthSelfCheck, type OwnTokenFile } from './k8s-auth.self-check.js';
import { K8sAuthStatistics } from './k8s-auth.statistics.js';
import { bareOriginOf } from './outbound/destinations.options.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Clock, K8S_AUTH_CLOCK } from './util/clock.js';
import { k8sAuthLog } from './util/log.js';
import { type Verifier } from './verifiers/verifier.js';

/** Injection token of the {@link CheckedOptions}. The command `routes` may load another build of the library. */
export const K8S_AUTH_CHECKED_OPTIONS = Symbol.for('K8S_AUTH:CHECKED_OPTIONS');

/** What tells operators about the state of the service. @internal */
export const healthProviders: Provider[] = [
  {
    provide: K8sAuthWouldRefuseCounts,
    useFactory: ({ wouldRefuse }: RefusalLog) => wouldRefuse,
    inject: [RefusalLog],
  },
  {
    provide: K8sAuthReadiness,
    useFactory: (
      verifier: Verifier | undefined,
      tokenSource: K8sAuthTokenSource,
      selfCheck: K8sAuthSelfCheck,
    ) => new K8sAuthReadiness(verifier, tokenSource, k8sAuthLog, selfCheck),
    inject: [K8S_AUTH_VERIFIER, K8sAuthTokenSource, K8sAuthSelfCheck],
  },
  {
    provide: OwnApiServer,
    useFactory: (clock: Clock) => new OwnApiServer(clock),
    inject: [K8S_AUTH_CLOCK],
  },
  {
    provide: K8sAuthSelfCheck,
    useFactory: ({ options }: CheckedOptions, apiServer: OwnApiServer, clock: Clock) =>
      new K8sAuthSelfCheck(ownTokenFilesOf(options), apiServer, clock),
    inject: [K8S_AUTH_CHECKED_OPTIONS, OwnApiServer, K8S_AUTH_CLOCK],
  },
  {
    provide: K8sAuthStatistics,
    useFactory: (
      { options }: CheckedOptions,
      verifier: Verifier | undefined,
      tokenSource: K8sAuthTokenSource,
      readiness: K8sAuthReadiness,
      selfCheck: K8sAuthSelfCheck,
      wouldRefuse: K8sAuthWouldRefuseCounts,
    ) => {
      const { kind } = options.verifier ?? {};
      return new K8sAuthStatistics({ kind, verifier, tokenSource, readiness, selfCheck, wouldRefuse });
    },
    inject: [
      K8S_AUTH_CHECKED_OPTIONS,
      K8S_AUTH_VERIFIER,
      K8sAuthTokenSource,
      K8sAuthReadiness,
      K8sAuthSelfCheck,
      K8sAuthWouldRefuseCounts,
    ],
  },
];

function ownTokenFilesOf({ destinations = [] }: K8sAuthOptions): OwnTokenFile[] {
  return destinations.map(({ origin, tokenFile }) => ({
    destination: bareOriginOf(origin) ?? origin,
    tokenFile,
  }));
}
