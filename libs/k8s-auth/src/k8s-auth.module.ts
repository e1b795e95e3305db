import { Module, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { K8S_AUTH_INBOUND_ROOT } from './inbound/inbound.constants.js';
import { K8sAuthGuard } from './inbound/request/k8s-auth.guard.js';
import { InboundStartup } from './inbound/routes/inbound-startup.js';
import { K8sAuthLifecycle } from './k8s-auth.lifecycle.js';
import { k8sAuthLog } from './util/k8s-auth.log.js';
import { ConfigurableModuleClass } from './k8s-auth.module-definition.js';
import { k8sAuthProviders } from './k8s-auth.providers.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { K8S_AUTH_CLOCK } from './util/clock.js';

/**
 * The composition root: `K8sAuthModule.forRoot(options)`, or `forRootAsync` with `useFactory`, `useClass` or
 * `useExisting` (`K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider())` takes the environment). Wrong options, a
 * route without an audience and a guarded route without a verifier fail startup; an unreachable server does not.
 *
 * Each root serves the modules that import it, and a global one serves all others: its verifier decides about their
 * routes, its token source sends their tokens.
 * @throws {ConfigurationError}
 * @publicApi
 */
@Module({
  providers: [...k8sAuthProviders, K8sAuthGuard, K8sAuthLifecycle],
  // Nest creates a guard for each module whose controllers use it, so its dependency is exported too.
  exports: [K8sAuthGuard, K8sAuthReadiness, K8sAuthTokenSource, K8S_AUTH_INBOUND_ROOT, K8S_AUTH_CLOCK],
})
export class K8sAuthModule extends ConfigurableModuleClass implements OnModuleInit {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    super();
  }

  /** Here, because providers of a root that depends on the request get no hooks. @internal */
  onModuleInit(): Promise<void> {
    return InboundStartup.of(this.modules, this.config).run(k8sAuthLog);
  }
}
