import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { K8sAuthEvents } from '../src/index.js';
import { modulesOf } from '../src/outbound/axios/importing-modules.js';
import { traceOperation } from './operation-span.js';

/**
 * Creates a span for each verification that memory could not answer, and for each review of a token by the API server, for
 * every `K8sAuthModule` of the application. No span contains token text. It uses the tracer provider that your application
 * has registered with `@opentelemetry/api`; without one, nothing is recorded.
 * @publicApi
 */
@Module({})
export class K8sAuthTracingModule implements OnModuleInit, OnApplicationShutdown {
  private readonly ends: (() => void)[] = [];

  constructor(private readonly moduleRef: ModuleRef) {}

  /** @internal */
  onModuleInit(): void {
    for (const { providers } of modulesOf(this.moduleRef).values()) {
      const events = providers.get(K8sAuthEvents)?.instance as K8sAuthEvents | undefined;
      if (events) this.ends.push(events.subscribe({ onOperation: traceOperation }));
    }
  }

  /** @internal */
  onApplicationShutdown(): void {
    for (const end of this.ends.splice(0)) end();
  }
}
