import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Module, Next } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Caller, K8sAuth, K8sAuthModule, type Principal } from '../../src/index.js';
import { asCaller, asRefused, createTestPrincipal, FakeClock, testK8sAuth } from '../index.js';
import { closeTestApps, DecoratorsModule, startTestApp, verifier } from './test-application.fixture.js';

afterEach(closeTestApps);

describe('an application of testK8sAuth', () => {
  it('works with fetch, and with inject of Fastify', async () => {
    const { app } = await startTestApp('fastify', DecoratorsModule);
    const response = await fetch(`${await app.getUrl()}/scoped`, {
      headers: [asCaller('shop/stock')],
    });
    expect(await response.text()).toBe('system:serviceaccount:shop:stock');
    const headers = Object.fromEntries([asCaller('shop/stock')]);
    const injected = await (app as NestFastifyApplication).inject({ url: '/scoped', headers });
    expect(injected.body).toBe('system:serviceaccount:shop:stock');
  });

  it('refuses a caller whose token is issued for another audience, or has expired', async () => {
    const clock = new FakeClock();
    const { http } = await startTestApp('express', DecoratorsModule, {}, clock);
    const get = (facts: Parameters<typeof createTestPrincipal>[0]) =>
      http.get('/orders').set(...asCaller(createTestPrincipal(facts)));
    await get({ audiences: ['billing'] }).expect(401);
    const response = await get({ audiences: ['billing', 'orders'] }).expect(200);
    expect((response.body as Principal).audiences).toEqual(['orders']);
    const expiresAtMs = clock.wallMs() + 60_000;
    const accepted = await get({ expiresAtMs }).expect(200);
    expect((accepted.body as { expiresAt: string }).expiresAt).toBe(new Date(expiresAtMs).toISOString());
    await clock.advance(60_000);
    await get({ expiresAtMs }).expect(401);
  });

  it('keeps the caller of a request whose first handler calls next()', async () => {
    @Controller()
    @K8sAuth('orders')
    class Chained {
      @Get('chain')
      first(@Next() next: () => void): void {
        next();
      }

      @Get('ch*rest')
      second(@Caller('serviceAccount') name: string): string {
        return name;
      }
    }
    @Module({ imports: [K8sAuthModule.forRoot({ verifier })], controllers: [Chained] })
    class ChainedModule {}
    const { http } = await startTestApp('express', ChainedModule, { as: 'shop/checkout' });
    await http
      .get('/chain')
      .set(...asCaller('shop/admin'))
      .expect(200, 'admin');
    await http.get('/chain').expect(200, 'checkout');
  });

  it('warns that tokens are not verified', async () => {
    const warn = jest.fn();
    const testing = await testK8sAuth(Test.createTestingModule({ imports: [DecoratorsModule] })).compile();
    const app = testing.createNestApplication({ logger: { log() {}, error() {}, warn } });
    await app.init();
    await app.close();
    expect(JSON.stringify(warn.mock.calls)).toContain('tokens are not verified');
  });

  it('names the mistake when it gets a compiled module, a bad caller or a bad status', async () => {
    const compiled = await Test.createTestingModule({}).compile();
    expect(() => testK8sAuth(compiled as never)).toThrow(/before compile\(\)/);
    expect(() => asCaller('checkout')).toThrow(
      "expected a principal, or a ServiceAccount as 'namespace/name'",
    );
    expect(() => asRefused(200 as never)).toThrow(new TypeError('expected 401, 403 or 503'));
  });
});
