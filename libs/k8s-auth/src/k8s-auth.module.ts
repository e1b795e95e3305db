import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { K8S_AUTH_INBOUND_SETTINGS, K8S_AUTH_VERIFIER } from './inbound/inbound.tokens.js';
import { K8sAuthGuard } from './inbound/k8s-auth.guard.js';
import { RefusalLog } from './inbound/refusal-log.js';
import { K8sAuthLifecycle } from './k8s-auth.lifecycle.js';
import { ConfigurableModuleClass } from './k8s-auth.module-definition.js';
import { k8sAuthProviders } from './k8s-auth.providers.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { K8S_AUTH_CLOCK } from './shared/clock.js';

/**
 * The composition root: `K8sAuthModule.forRoot(options)`, or `forRootAsync` with `useFactory`, `useClass` or
 * `useExisting` (`K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider())` takes the environment). Wrong options, a
 * route without an audience and a guarded route without a verifier stop the boot; a server that is away does not.
 * @throws {ConfigurationError}
 * @publicApi
 */
@Module({
  imports: [DiscoveryModule],
  providers: [...k8sAuthProviders, K8sAuthGuard, K8sAuthReadiness, K8sAuthLifecycle],
  // The guard is made anew in each module whose controllers ask for it, so its dependencies are exported too.
  exports: [
    K8sAuthGuard,
    K8sAuthReadiness,
    K8sAuthTokenSource,
    K8S_AUTH_VERIFIER,
    K8S_AUTH_INBOUND_SETTINGS,
    K8S_AUTH_CLOCK,
    RefusalLog,
  ],
})
export class K8sAuthModule extends ConfigurableModuleClass {}
