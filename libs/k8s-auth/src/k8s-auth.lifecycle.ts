import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { K8S_AUTH_VERIFIER } from './inbound/inbound.constants.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { k8sAuthLog } from './util/k8s-auth.log.js';
import { warnOfHttpModuleAlone } from './outbound/axios/importing-modules.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Verifier } from './verifiers/verifier.js';

/** What a root starts and ends: tokens are read first, fetching starts at bootstrap, all ends at shutdown. */
@Injectable()
export class K8sAuthLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: Verifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly refusals: RefusalLog,
    private readonly modules: ModulesContainer,
  ) {}

  onModuleInit(): void {
    // Files of our own tokens are read now, so that the first request finds them; a missing one fails nothing.
    this.tokenSource.hydrate();
  }

  onApplicationBootstrap(): void {
    this.verifier?.start();
    if (this.tokenSource.states().length > 0) warnOfHttpModuleAlone(this.modules, k8sAuthLog);
  }

  async onApplicationShutdown(): Promise<void> {
    this.refusals.close();
    await this.verifier?.close();
  }
}
