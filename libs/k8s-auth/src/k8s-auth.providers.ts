import { Logger, type Provider } from '@nestjs/common';
import { K8S_AUTH_INBOUND_SETTINGS, K8S_AUTH_VERIFIER } from './inbound/inbound.tokens.js';
import { RefusalLog } from './inbound/refusal-log.js';
import { processEnvironment } from './k8s-auth.config.js';
import { K8S_AUTH_OPTIONS } from './k8s-auth.module-definition.js';
import { type K8sAuthOptions } from './k8s-auth.options.js';
import { type CheckedOptions, checkOptions, DEFAULT_MAX_TOKEN_BYTES } from './k8s-auth.options.validate.js';
import { nameVariables } from './k8s-auth.variable-names.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Clock, K8S_AUTH_CLOCK, systemClock } from './shared/clock.js';
import { ApiServerAudienceFence } from './verifiers/api-server-audience-fence.js';
import { type TokenVerifier } from './verifiers/token-verifier.js';

/** Injection token of the {@link CheckedOptions}. */
export const K8S_AUTH_CHECKED_OPTIONS = Symbol('K8S_AUTH:CHECKED_OPTIONS');

const log = new Logger('K8sAuth');

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
    provide: K8S_AUTH_INBOUND_SETTINGS,
    useFactory: ({ options }: CheckedOptions) => ({
      audience: options.audience,
      maxTokenBytes: options.maxTokenBytes ?? DEFAULT_MAX_TOKEN_BYTES,
    }),
    inject: [K8S_AUTH_CHECKED_OPTIONS],
  },
  {
    provide: RefusalLog,
    useFactory: (clock: Clock) => new RefusalLog({ clock, log }),
    inject: [K8S_AUTH_CLOCK],
  },
  {
    provide: K8sAuthTokenSource,
    useFactory: ({ options }: CheckedOptions, clock: Clock) =>
      new K8sAuthTokenSource(options.destinations ?? [], { clock, log }),
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK],
  },
];

async function createVerifier(
  { options, definition }: CheckedOptions,
  clock: Clock,
): Promise<TokenVerifier | undefined> {
  if (!definition || !options.verifier) return undefined;
  const context = { clock, log, environment: processEnvironment() };
  const verifier = await definition
    .create(options.verifier, context)
    .catch((error: unknown) => Promise.reject(nameVariables(error, definition.variables)));
  return options.allowApiServerAudience ? verifier : new ApiServerAudienceFence(verifier, context);
}
