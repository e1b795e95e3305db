import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { TerminusModule } from '@nestjs/terminus';
import { k8sAuthConfig, K8sAuthHttpModule, K8sAuthModule } from 'nest-k8s-auth';
import { K8sAuthHealthIndicator } from 'nest-k8s-auth/terminus';
import { CallerService } from './caller/caller.service.js';
import { HealthController } from './health/health.controller.js';
import { service1Config } from './service1.config.js';

@Module({
  imports: [
    ConfigModule.forFeature(service1Config),
    K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider()),
    K8sAuthHttpModule.register({ timeout: 2000 }),
    TerminusModule.forRoot({ logger: false }),
  ],
  controllers: [HealthController],
  providers: [CallerService, K8sAuthHealthIndicator],
})
export class AppModule {}
