import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { K8sAuthReadiness } from '../src/index.js';

/** Options of {@link K8sAuthHealthIndicator.check}. @publicApi */
export interface K8sAuthHealthOptions {
  /**
   * Whether the result contains `code` and `reason`. The reason names addresses, files and rights, and readiness endpoints
   * are usually public. The log has the reason in any case.
   * @default false
   */
  readonly showReason?: boolean;
}

/** The part of a session that Terminus 11 lacks. */
interface SessionWithDegraded<Key extends string> {
  degraded?(data: object): HealthIndicatorResult<Key>;
}

/**
 * A health indicator for `HealthCheckService` of @nestjs/terminus. List it among the providers of a module that imports
 * `TerminusModule`:
 *
 * ```ts
 * this.health.check([() => this.k8sAuth.check()]);
 * ```
 *
 * `up`: ready. `down`: not ready, and the health check answers 503. Degraded, during an outage or with a problem that
 * `K8sAuthSelfCheck` has found: the health check still answers 200. Terminus 12 reports the status `degraded`; Terminus 11
 * reports `up` with `degraded: true`.
 * @publicApi
 */
@Injectable()
export class K8sAuthHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: K8sAuthReadiness,
  ) {}

  /** @param key the name of the indicator in the result */
  check<const Key extends string = 'k8s-auth'>(
    key: Key = 'k8s-auth' as Key,
    { showReason = false }: K8sAuthHealthOptions = {},
  ): HealthIndicatorResult<Key> {
    const { status, code, reason } = this.readiness.check();
    const session = this.indicators.check(key);
    const data = showReason
      ? { ...(code !== undefined && { code }), ...(reason !== undefined && { reason }) }
      : {};
    if (status === 'ready') return session.up();
    if (status === 'not-ready') return session.down(data);
    const newer = session as SessionWithDegraded<Key>;
    return newer.degraded?.(data) ?? session.up({ ...data, degraded: true });
  }
}
