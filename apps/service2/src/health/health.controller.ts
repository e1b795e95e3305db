import { Controller, Get } from '@nestjs/common';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { K8sAuthReadiness, Public } from 'nest-k8s-auth';

/** Endpoints for the kubelet's liveness and readiness probes. */
@Controller()
@Public()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: K8sAuthReadiness,
  ) {}

  @Get('livez')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  @Get('readyz')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.k8sAuth()]);
  }

  /** The reason is only in the log: it names addresses, and everybody may call this endpoint. */
  private k8sAuth(): HealthIndicatorResult {
    const indicator = this.indicators.check('k8s-auth');
    const { status } = this.readiness.check();
    if (status === 'ready') return indicator.up();
    return status === 'degraded' ? indicator.degraded() : indicator.down();
  }
}
