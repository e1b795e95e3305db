import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { APP_GUARD } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { k8sAuthConfig, K8sAuthGuard, K8sAuthModule } from 'nest-k8s-auth';
import { K8sAuthPrometheusModule } from 'nest-k8s-auth/prometheus';
import { K8sAuthHealthIndicator } from 'nest-k8s-auth/terminus';
import { AdminController } from './admin/admin.controller.js';
import { HealthController } from './health/health.controller.js';
import { HelloController } from './hello/hello.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { service2Config } from './service2.config.js';

@Module({
  imports: [
    K8sAuthModule.forRootAsync({
      imports: [ConfigModule.forFeature(k8sAuthConfig), ConfigModule.forFeature(service2Config)],
      inject: [k8sAuthConfig.KEY, service2Config.KEY],
      useFactory: (
        k8sAuth: ConfigType<typeof k8sAuthConfig>,
        { audience }: ConfigType<typeof service2Config>,
      ) => ({ ...k8sAuth, audience: audience ?? k8sAuth.audience ?? 'service2' }),
    }),
    K8sAuthPrometheusModule.forRoot({}),
    TerminusModule.forRoot({ logger: false }),
  ],
  controllers: [HelloController, AdminController, HealthController, MetricsController],
  providers: [{ provide: APP_GUARD, useExisting: K8sAuthGuard }, K8sAuthHealthIndicator],
})
export class AppModule {}
