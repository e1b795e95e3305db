import { healthProviders, K8S_AUTH_CHECKED_OPTIONS } from './k8s-auth.health-providers.js';
import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { type InboundRoot } from './inbound/routes/route.js';
import { K8S_AUTH_INBOUND_ROOT, K8S_AUTH_VERIFIER } from './inbound/inbound.constants.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { PublicControllers } from './inbound/routes/public-controllers.js';
import { InboundStartup } from './inbound/routes/inbound-startup.js';
import { nameVariables, processEnvironment } from './config/k8s-auth.config.js';
import { AuditLog } from './events/audit-log.js';
import { K8sAuthEvents } from './events/k8s-auth.events.js';
import { k8sAuthLog } from './util/log.js';
import {
  type CheckedOptions,
  checkOptions,
  DEFAULT_MAX_TOKEN_BYTES,
  type K8sAuthOptions,
} from './config/options.js';
import { OwnApiServer } from './api-server/own-api-server.js';
import { modulesOf } from './outbound/axios/importing-modules.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Clock, K8S_AUTH_CLOCK, systemClock } from './util/clock.js';
import { ApiServerAudiences } from './verifiers/api-server-audiences.js';
import { type Verifier } from './verifiers/verifier.js';

/**
 * `forRoot`, `forRootAsync` (useFactory, useClass, useExisting) and `isGlobal`. `isGlobal` defaults to true: feature
 * modules then import nothing. With `forRootAsync`, `isGlobal` is set beside the factory, not in the options it returns.
 */
export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: K8S_AUTH_OPTIONS,
  OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<K8sAuthOptions>({
  moduleName: 'K8sAuth',
  // Nest shows this text in its error if a user imports the class without forRoot.
  optionsInjectionToken: Symbol(
    'options of K8sAuthModule: import K8sAuthModule.forRoot(...) or K8sAuthModule.forRootAsync(...), not K8sAuthModule alone',
  ),
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createK8sAuthOptions')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/** The interface that classes for `useClass` and `useExisting` of `forRootAsync` implement. @publicApi */
export interface K8sAuthOptionsFactory {
  createK8sAuthOptions(): K8sAuthOptions | Promise<K8sAuthOptions>;
}

export { K8S_AUTH_CHECKED_OPTIONS };

/** Options -> checked options -> verifier, inbound root, token source, readiness. */
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
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK, K8sAuthEvents, OwnApiServer],
  },
  {
    provide: K8S_AUTH_INBOUND_ROOT,
    useFactory: createInboundRoot,
    inject: [
      K8S_AUTH_CHECKED_OPTIONS,
      K8S_AUTH_VERIFIER,
      K8S_AUTH_CLOCK,
      RefusalLog,
      K8sAuthEvents,
      HttpAdapterHost,
      ModuleRef,
      ApplicationConfig,
    ],
  },
  {
    provide: K8sAuthEvents,
    useFactory: createEvents,
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK],
  },
  {
    provide: RefusalLog,
    useFactory: (clock: Clock) => new RefusalLog({ clock, log: k8sAuthLog }),
    inject: [K8S_AUTH_CLOCK],
  },
  {
    provide: K8sAuthTokenSource,
    useFactory: ({ options }: CheckedOptions, clock: Clock, events: K8sAuthEvents) =>
      new K8sAuthTokenSource(options.destinations ?? [], { clock, log: k8sAuthLog, events }),
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK, K8sAuthEvents],
  },
  ...healthProviders,
];

function createEvents({ options }: CheckedOptions, clock: Clock): K8sAuthEvents {
  const events = new K8sAuthEvents({ clock, log: k8sAuthLog });
  if (options.events) events.subscribe(options.events);
  if (options.auditLog) events.subscribe(new AuditLog(k8sAuthLog));
  return events;
}

async function createVerifier(
  { options, definition }: CheckedOptions,
  clock: Clock,
  events: K8sAuthEvents,
  ownApiServer: OwnApiServer,
): Promise<Verifier | undefined> {
  if (!definition || !options.verifier) return undefined;
  const context = { clock, log: k8sAuthLog, events, ownApiServer, environment: processEnvironment() };
  return definition
    .create(options.verifier, context)
    .catch((error: unknown) => Promise.reject(nameVariables(error, definition.variables)));
}

function createInboundRoot(
  { options }: CheckedOptions,
  verifier: Verifier | undefined,
  clock: Clock,
  refusals: RefusalLog,
  events: K8sAuthEvents,
  adapterHost: HttpAdapterHost,
  moduleRef: ModuleRef,
  config: ApplicationConfig,
): InboundRoot {
  const { audience, allowApiServerAudience = false, maxTokenBytes = DEFAULT_MAX_TOKEN_BYTES } = options;
  const issuers =
    options.verifier && 'issuer' in options.verifier ? [options.verifier.issuer ?? []].flat() : [];
  const apiServerAudiences = new ApiServerAudiences(verifier, { clock, log: k8sAuthLog, issuers });
  const startup = InboundStartup.of(modulesOf(moduleRef), config);
  const root = {
    verify:
      verifier && (allowApiServerAudience ? verifier.verify : apiServerAudiences.refuse(verifier.verify)),
    audience,
    maxTokenBytes,
    publicControllers: new PublicControllers(options.publicControllers),
    enforce: options.enforce ?? true,
    refusals,
    events,
    adapterHost,
    longLivedConnections: options.longLivedConnections ?? 'close-at-expiry',
    clock,
    routes: startup.routes,
  };
  startup.join(root, async (routeAudiences) => {
    // The audience of the option is checked even if no route uses it.
    const optionAudiences = [audience ?? []].flat().map((one) => [one, []] as const);
    return allowApiServerAudience
      ? []
      : apiServerAudiences.findMistakes(new Map([...optionAudiences, ...routeAudiences]));
  });
  return root;
}
