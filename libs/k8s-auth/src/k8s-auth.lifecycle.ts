import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from './errors/configuration.error.js';
import { checkRoutes } from './inbound/boot-check.js';
import { K8S_AUTH_VERIFIER } from './inbound/inbound.tokens.js';
import { K8sAuthGuard } from './inbound/k8s-auth.guard.js';
import { RefusalLog } from './inbound/refusal-log.js';
import { findApiServerAudiences } from './k8s-auth.api-server-audiences.js';
import { K8S_AUTH_CHECKED_OPTIONS } from './k8s-auth.providers.js';
import { type CheckedOptions } from './k8s-auth.options.validate.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type TokenVerifier } from './verifiers/token-verifier.js';

/** What happens when: routes are checked before the first request, fetching starts at bootstrap, all ends at shutdown. */
@Injectable()
export class K8sAuthLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('K8sAuth');

  constructor(
    @Inject(K8S_AUTH_CHECKED_OPTIONS) private readonly checked: CheckedOptions,
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: TokenVerifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly refusals: RefusalLog,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly application: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {}

  async onModuleInit(): Promise<void> {
    // Files of our own tokens are read now, so that the first request finds them; a missing one stops nothing.
    this.tokenSource.hydrate();
    const { audience, allowApiServerAudience } = this.checked.options;
    const routes = checkRoutes({
      controllers: this.discovery.getControllers(),
      scanner: this.scanner,
      audience,
      hasVerifier: this.verifier !== undefined,
    });
    const mistakes = [...routes.mistakes, ...this.findSecondRoot()];
    if (!allowApiServerAudience) {
      // The module's own audience too, whether a route asks for it yet or not.
      const named = new Map([
        ...(audience === undefined ? [] : [[audience, []] as const]),
        ...routes.audiences,
      ]);
      mistakes.push(...(await this.findApiServerAudiencesIn(named)));
    }
    if (mistakes.length > 0) throw new ConfigurationError(mistakes);
    if (routes.undecorated.length > 0 && this.guardIsGlobal()) {
      this.logger.warn({
        message: 'routes without @K8sAuth or @Public are refused, whoever calls',
        routes: routes.undecorated,
      });
    }
  }

  onApplicationBootstrap(): void {
    this.verifier?.hydrate();
  }

  async onApplicationShutdown(): Promise<void> {
    this.refusals.close();
    await this.verifier?.close();
  }

  /** A token made for the API server opens the Kubernetes API: no other service should be handed one. */
  private async findApiServerAudiencesIn(
    audiences: ReadonlyMap<string, readonly string[]>,
  ): Promise<string[]> {
    const taken = await findApiServerAudiences(this.verifier, this.checked.options.verifier);
    return [...audiences]
      .filter(([audience]) => taken.has(audience))
      .map(
        ([audience, routes]) =>
          `${routes.length > 0 ? `audience of ${routes.join(', ')}` : "option 'audience'"}: expected one of this service's own, ` +
          `but the API server accepts '${audience}' too (option 'allowApiServerAudience' allows it)`,
      );
  }

  /** Two global modules would both offer verifier and tokens, and nobody could say which one a controller gets. */
  private findSecondRoot(): string[] {
    const roots = [...this.modules.values()].filter(
      (module) => module.isGlobal && module.providers.has(K8sAuthLifecycle),
    );
    return roots.length > 1
      ? [
          'K8sAuthModule: expected one forRoot or forRootAsync that holds verifier and destinations, not several',
        ]
      : [];
  }

  private guardIsGlobal(): boolean {
    return this.application.getGlobalGuards().some((guard) => guard instanceof K8sAuthGuard);
  }
}
