import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { Public } from 'nest-k8s-auth';
import { K8sAuthHealthIndicator } from 'nest-k8s-auth/terminus';

/** Endpoints for the kubelet's liveness and readiness probes. */
@Controller()
@Public()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly k8sAuth: K8sAuthHealthIndicator,
  ) {}

  @Get('livez')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** Shows no reason: it names addresses, and everybody may call this endpoint. The log has it. */
  @Get('readyz')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.k8sAuth.check()]);
  }
}
