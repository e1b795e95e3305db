import { type INestApplication, Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import * as terminus from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { K8sAuthReadiness, type Readiness } from '../src/index.js';
import { K8sAuthHealthIndicator } from './index.js';

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly k8sAuth: K8sAuthHealthIndicator,
  ) {}
  @Get('readyz') @HealthCheck() ready() {
    return this.health.check([() => this.k8sAuth.check()]);
  }
  @Get('internal') @HealthCheck() internal() {
    return this.health.check([() => this.k8sAuth.check('auth', { showReason: true })]);
  }
}

let app: INestApplication;
afterEach(() => app?.close());

/** The answer of a health endpoint of a service with this readiness. */
async function ask(path: string, readiness: Readiness) {
  const testing = await Test.createTestingModule({
    imports: [TerminusModule.forRoot({ logger: false })],
    controllers: [HealthController],
    providers: [K8sAuthHealthIndicator, { provide: K8sAuthReadiness, useValue: { check: () => readiness } }],
  }).compile();
  app = testing.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  const response = await fetch(`${await app.getUrl()}/${path}`);
  const { details, error } = (await response.json()) as { details: object; error: object };
  return { status: response.status, details, error };
}

const REASON = 'the token in /tokens/billing never expires';
const DEGRADED: Readiness = { status: 'degraded', code: 'OWN_TOKEN_LONG_LIVED', reason: REASON };
/** Version 11 of Terminus has no state between up and down. */
const hasDegraded =
  'degraded' in
  terminus.HealthIndicatorService.prototype.check.call(new terminus.HealthIndicatorService(), 'x');

describe('K8sAuthHealthIndicator', () => {
  it('is up when the service is ready', async () => {
    const { status, details } = await ask('readyz', { status: 'ready' });
    expect({ status, details }).toEqual({ status: 200, details: { 'k8s-auth': { status: 'up' } } });
  });

  it('answers 503 when the service is not ready, without the reason', async () => {
    const { status, error } = await ask('readyz', { status: 'not-ready', reason: 'ECONNREFUSED 10.0.0.1' });
    expect({ status, error }).toEqual({ status: 503, error: { 'k8s-auth': { status: 'down' } } });
  });

  it('stays 200 while the service is degraded', async () => {
    const { status, details } = await ask('readyz', DEGRADED);
    expect({ status, details }).toEqual({
      status: 200,
      details: { 'k8s-auth': hasDegraded ? { status: 'degraded' } : { status: 'up', degraded: true } },
    });
  });

  it('shows code and reason where it is asked to', async () => {
    const { details } = await ask('internal', DEGRADED);
    expect(details).toMatchObject({ auth: { code: 'OWN_TOKEN_LONG_LIVED', reason: REASON } });
    await app.close();
    const { error } = await ask('internal', { status: 'not-ready', reason: 'no keys' });
    expect(error).toEqual({ auth: { status: 'down', reason: 'no keys' } });
  });
});
