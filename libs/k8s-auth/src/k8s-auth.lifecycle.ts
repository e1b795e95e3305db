import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { K8S_AUTH_VERIFIER } from './inbound/inbound-root.js';
import { RefusalLog } from './inbound/request/refusal-log.js';
import { K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Verifier } from './verifiers/verifier.js';

/** What a root starts and ends: tokens are read first, fetching starts at bootstrap, all ends at shutdown. */
@Injectable()
export class K8sAuthLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: Verifier | undefined,
    private readonly tokenSource: K8sAuthTokenSource,
    private readonly refusals: RefusalLog,
  ) {}

  onModuleInit(): void {
    // Files of our own tokens are read now, so that the first request finds them; a missing one fails nothing.
    this.tokenSource.hydrate();
  }

  onApplicationBootstrap(): void {
    this.verifier?.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.refusals.close();
    await this.verifier?.close();
  }
}
