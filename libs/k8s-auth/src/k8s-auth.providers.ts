import { type Provider } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { type InboundRoot, K8S_AUTH_INBOUND_ROOT, K8S_AUTH_VERIFIER } from './inbound/inbound-root.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { InboundStartup } from './inbound/routes/inbound-startup.js';
import { findApiServerAudienceMistakes } from './verifiers/known-api-server-audiences.js';
import { processEnvironment } from './config/k8s-auth.config.js';
import { k8sAuthLog } from './k8s-auth.log.js';
import { K8S_AUTH_OPTIONS } from './k8s-auth.module-definition.js';
import { type K8sAuthOptions } from './config/k8s-auth.options.js';
import { type CheckedOptions, checkOptions, DEFAULT_MAX_TOKEN_BYTES } from './config/check-options.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { nameVariables } from './config/variable-names.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Clock, K8S_AUTH_CLOCK, systemClock } from './util/clock.js';
import { ApiServerAudienceFence } from './verifiers/api-server-audience-fence.js';
import { type TokenVerifier } from './verifiers/token-verifier.js';

/** Injection token of the {@link CheckedOptions}. */
export const K8S_AUTH_CHECKED_OPTIONS = Symbol('K8S_AUTH:CHECKED_OPTIONS');

/** Options -> checked options -> everything that is made of them. */
export const k8sAuthProviders: Provider[] = [
  { provide: K8S_AUTH_CLOCK, useValue: systemClock },
  {
    provide: K8S_AUTH_CHECKED_OPTIONS,
    useFactory: (options: K8sAuthOptions) => checkOptions(options),
    inject: [K8S_AUTH_OPTIONS],
  },
  {
    provide: K8S_AUTH_VERIFIER,
    useFactory: createVerifier,
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK],
  },
  {
    provide: K8S_AUTH_INBOUND_ROOT,
    useFactory: createInboundRoot,
    inject: [
      K8S_AUTH_CHECKED_OPTIONS,
      K8S_AUTH_VERIFIER,
      RefusalLog,
      HttpAdapterHost,
      ModulesContainer,
      ApplicationConfig,
    ],
  },
  {
    provide: RefusalLog,
    useFactory: (clock: Clock) => new RefusalLog({ clock, log: k8sAuthLog }),
    inject: [K8S_AUTH_CLOCK],
  },
  {
    provide: K8sAuthTokenSource,
    useFactory: ({ options }: CheckedOptions, clock: Clock) =>
      new K8sAuthTokenSource(options.destinations ?? [], { clock, log: k8sAuthLog }),
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK],
  },
  {
    provide: K8sAuthReadiness,
    useFactory: (verifier: TokenVerifier | undefined, tokenSource: K8sAuthTokenSource) =>
      new K8sAuthReadiness(verifier, tokenSource, k8sAuthLog),
    inject: [K8S_AUTH_VERIFIER, K8sAuthTokenSource],
  },
];

async function createVerifier(
  { options, definition }: CheckedOptions,
  clock: Clock,
): Promise<TokenVerifier | undefined> {
  if (!definition || !options.verifier) return undefined;
  const context = { clock, log: k8sAuthLog, environment: processEnvironment() };
  const verifier = await definition
    .create(options.verifier, context)
    .catch((error: unknown) => Promise.reject(nameVariables(error, definition.variables)));
  return options.allowApiServerAudience ? verifier : new ApiServerAudienceFence(verifier, context);
}

function createInboundRoot(
  { options }: CheckedOptions,
  verifier: TokenVerifier | undefined,
  refusals: RefusalLog,
  adapterHost: HttpAdapterHost,
  modules: ModulesContainer,
  config: ApplicationConfig,
): InboundRoot {
  const { audience, maxTokenBytes = DEFAULT_MAX_TOKEN_BYTES } = options;
  const startup = InboundStartup.of(modules, config);
  const root = { verifier, audience, maxTokenBytes, refusals, adapterHost, routes: startup.routes };
  startup.join(root, (audiences) => findApiServerAudienceMistakes(verifier, options, audiences));
  return root;
}
