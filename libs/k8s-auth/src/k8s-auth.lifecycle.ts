import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { K8S_AUTH_VERIFIER } from './inbound/inbound-root.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { InboundStartup } from './inbound/routes/inbound-startup.js';
import { k8sAuthLog } from './k8s-auth.log.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type TokenVerifier } from './verifiers/token-verifier.js';

/** What happens when: routes are checked before the first request, fetching starts at bootstrap, all ends at shutdown. */
@Injectable()
export class K8sAuthLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: TokenVerifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly refusals: RefusalLog,
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {}

  async onModuleInit(): Promise<void> {
    // Files of our own tokens are read now, so that the first request finds them; a missing one fails nothing.
    this.tokenSource.hydrate();
    await InboundStartup.of(this.modules, this.config).run(k8sAuthLog);
  }

  onApplicationBootstrap(): void {
    this.verifier?.hydrate();
  }

  async onApplicationShutdown(): Promise<void> {
    this.refusals.close();
    await this.verifier?.close();
  }
}
