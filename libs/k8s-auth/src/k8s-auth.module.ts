import {
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, ModuleRef } from '@nestjs/core';
import { K8S_AUTH_INBOUND_ROOT, K8S_AUTH_VERIFIER } from './inbound/inbound.constants.js';
import { K8sAuthGuard } from './inbound/request/k8s-auth.guard.js';
import { InboundStartup } from './inbound/routes/inbound-startup.js';
import { k8sAuthLog } from './util/log.js';
import { ConfigurableModuleClass, k8sAuthProviders } from './k8s-auth.providers.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { K8S_AUTH_CLOCK } from './util/clock.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { modulesOf, warnOfHttpModuleAlone } from './outbound/axios/importing-modules.js';
import { type Verifier } from './verifiers/verifier.js';

/** What a root starts and ends: tokens are read first, fetching starts at bootstrap, all ends at shutdown. */
@Injectable()
export class K8sAuthLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: Verifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly refusals: RefusalLog,
    private readonly moduleRef: ModuleRef,
  ) {}

  onModuleInit(): void {
    // Files of our own tokens are read now, so that the first request finds them; a missing one fails nothing.
    this.tokenSource.hydrate();
  }

  onApplicationBootstrap(): void {
    this.verifier?.start();
    if (this.tokenSource.states().length > 0) warnOfHttpModuleAlone(modulesOf(this.moduleRef), k8sAuthLog);
  }

  async onApplicationShutdown(): Promise<void> {
    this.refusals.close();
    await this.verifier?.close();
  }
}

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
    private readonly moduleRef: ModuleRef,
    private readonly config: ApplicationConfig,
  ) {
    super();
  }

  /** Here, because providers of a root that depends on the request get no hooks. @internal */
  onModuleInit(): Promise<void> {
    return InboundStartup.of(modulesOf(this.moduleRef), this.config).run(k8sAuthLog);
  }
}
