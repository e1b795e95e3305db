import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { register, type Registry } from 'prom-client';
import { K8S_AUTH_CLOCK, K8sAuthEvents, K8sAuthStatistics } from '../src/index.js';
import { type Clock } from '../src/util/clock.js';
import { modulesOf } from '../src/outbound/axios/importing-modules.js';
import { K8sAuthMetrics } from './k8s-auth-metrics.js';

/** The options of `K8sAuthPrometheusModule.forRoot` and of the factory of `forRootAsync`. @publicApi */
export interface K8sAuthPrometheusOptions {
  /**
   * The registry that gets the metrics. This module serves no route: your own `/metrics` returns `registry.metrics()`.
   * @default the default registry of prom-client
   */
  readonly registry?: Registry;
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<K8sAuthPrometheusOptions>({ moduleName: 'K8sAuthPrometheus' })
    .setClassMethodName('forRoot')
    .build();

/**
 * Exports the metrics of every `K8sAuthModule` of the application (docs/observability.md has the list).
 *
 * The metrics are created once for each registry: several of these modules, several applications in one process, and the ES
 * and CommonJS copies of this library share them. When the application shuts down, its gauges disappear and its counters
 * keep their values.
 * @publicApi
 */
@Module({})
export class K8sAuthPrometheusModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationShutdown
{
  private readonly ends: (() => void)[] = [];

  constructor(
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: K8sAuthPrometheusOptions,
    private readonly moduleRef: ModuleRef,
  ) {
    super();
  }

  /** @internal */
  onModuleInit(): void {
    const metrics = K8sAuthMetrics.of(this.options.registry ?? register);
    for (const { providers } of modulesOf(this.moduleRef).values()) {
      const events = providers.get(K8sAuthEvents)?.instance as K8sAuthEvents | undefined;
      const statistics = providers.get(K8sAuthStatistics)?.instance as K8sAuthStatistics | undefined;
      const clock = providers.get(K8S_AUTH_CLOCK)?.instance as Clock | undefined;
      if (events && statistics && clock) this.ends.push(metrics.watch({ events, statistics, clock }));
    }
  }

  /** @internal */
  onApplicationShutdown(): void {
    for (const end of this.ends.splice(0)) end();
  }
}
