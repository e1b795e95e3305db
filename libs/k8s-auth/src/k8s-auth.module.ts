import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, ModuleRef } from '@nestjs/core';
import { K8S_AUTH_INBOUND_ROOT, K8S_AUTH_VERIFIER } from './inbound/inbound.constants.js';
import { type CheckedOptions } from './config/options.js';
import { ConfigurationError } from './errors.js';
import { K8sAuthEvents } from './events/k8s-auth.events.js';
import { type InboundRoot } from './inbound/routes/route.js';
import { logStart } from './k8s-auth.boot-line.js';
import { K8sAuthGuard, noteModuleUsed } from './inbound/request/k8s-auth.guard.js';
import { InboundStartup } from './inbound/routes/inbound-startup.js';
import { k8sAuthLog } from './util/log.js';
import {
  type ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  K8S_AUTH_CHECKED_OPTIONS,
  k8sAuthProviders,
  type OPTIONS_TYPE,
} from './k8s-auth.providers.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { K8sAuthSelfCheck } from './k8s-auth.self-check.js';
import { K8sAuthStatistics } from './k8s-auth.statistics.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Clock, K8S_AUTH_CLOCK } from './util/clock.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { K8sAuthWouldRefuseCounts } from './inbound/request/would-refuse-counts.js';
import { modulesOf, warnAboutUnattachedHttpModule } from './outbound/axios/importing-modules.js';
import { type Verifier } from './verifiers/verifier.js';

/** Starts and stops the parts of one `K8sAuthModule`: reads token files first, starts the verifier at bootstrap, stops all at shutdown. */
@Injectable()
export class K8sAuthLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly watches: (() => void)[] = [];

  constructor(
    @Inject(K8S_AUTH_CHECKED_OPTIONS) private readonly checked: CheckedOptions,
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: Verifier | undefined,
    @Inject(K8S_AUTH_INBOUND_ROOT) private readonly root: InboundRoot,
    @Inject(K8S_AUTH_CLOCK) private readonly clock: Clock,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly readiness: K8sAuthReadiness,
    private readonly selfCheck: K8sAuthSelfCheck,
    private readonly refusals: RefusalLog,
    private readonly moduleRef: ModuleRef,
  ) {}

  onModuleInit(): void {
    // Reads the service's own token files now, so that the first request does not wait. A missing file does not fail startup.
    this.tokenSource.readDueFiles();
  }

  onApplicationBootstrap(): void {
    this.verifier?.start();
    if (this.tokenSource.states().length > 0)
      warnAboutUnattachedHttpModule(modulesOf(this.moduleRef), k8sAuthLog);
    // Not awaited: a plugin that supplies the own credential may be slow.
    const { checked, verifier, root, tokenSource } = this;
    void logStart({ checked, verifier, root, tokenSource }, k8sAuthLog);
    this.watches.push(
      this.tokenSource.watchUse(),
      this.readiness.watchUntilReady(this.clock),
      this.selfCheck.watch(() => this.readiness.logChange()),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    for (const stop of this.watches) stop();
    this.refusals.close();
    await this.verifier?.close();
  }
}

/**
 * The composition root: `K8sAuthModule.forRoot(options)`, or `forRootAsync` with `useFactory`, `useClass` or
 * `useExisting` (`K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider())` reads the environment). Wrong options, a
 * route without an audience and a guarded route without a verifier fail startup. An unreachable server does not.
 *
 * Each `K8sAuthModule` serves the modules that import it. A global one serves all other modules. "Serves" means: its
 * verifier checks the tokens of requests to their routes, and its token source supplies the tokens for their calls.
 * @throws {ConfigurationError}
 * @publicApi
 */
@Module({
  providers: [...k8sAuthProviders, K8sAuthGuard, K8sAuthLifecycle],
  // Nest creates a guard in each module whose controllers use it, so the guard's dependency is exported too.
  exports: [
    K8sAuthGuard,
    K8sAuthEvents,
    K8sAuthReadiness,
    K8sAuthSelfCheck,
    K8sAuthStatistics,
    K8sAuthTokenSource,
    K8sAuthWouldRefuseCounts,
    K8S_AUTH_INBOUND_ROOT,
    K8S_AUTH_CLOCK,
  ],
})
export class K8sAuthModule extends ConfigurableModuleClass implements OnModuleInit {
  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly config: ApplicationConfig,
  ) {
    super();
  }

  /** @throws {ConfigurationError} the argument is not an object; the options themselves are checked at startup */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    if (!isObject(options)) {
      throw new ConfigurationError([
        "K8sAuthModule.forRoot: expected an object with the option 'verifier', 'destinations' or both",
      ]);
    }
    noteModuleUsed();
    return super.forRoot(options);
  }

  /** @throws {ConfigurationError} the argument names no factory, and no class with `createK8sAuthOptions` */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    const { useFactory, useClass, useExisting } = isObject(options) ? options : {};
    const isUsable =
      useFactory === undefined
        ? useClass !== undefined || useExisting !== undefined
        : typeof useFactory === 'function';
    if (!isUsable) {
      throw new ConfigurationError([
        'K8sAuthModule.forRootAsync: expected an object with useFactory, useClass or useExisting',
      ]);
    }
    noteModuleUsed();
    return super.forRootAsync(options);
  }

  /** In the module class, because Nest calls no lifecycle hooks on request-scoped providers. @internal */
  onModuleInit(): Promise<void> {
    return InboundStartup.of(modulesOf(this.moduleRef), this.config).run(k8sAuthLog);
  }
}

/** Users who write JavaScript may pass anything. */
function isObject<Value>(value: Value | undefined): value is Value {
  return typeof value === 'object' && value !== null;
}
