import { describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  allowNamespaces,
  Caller,
  K8sAuth,
  K8sAuthGuard,
  K8sAuthModule,
  type Principal,
} from '../src/index.js';
import { authenticateAs, createTestPrincipal } from './index.js';

@Controller()
@K8sAuth('orders')
class ClassController {
  @Get('class')
  class(@Caller() caller: Principal): string {
    return caller.username;
  }
}

@Controller()
class MethodController {
  @Get('method')
  @K8sAuth('orders', allowNamespaces('elsewhere'))
  method(@Caller('serviceAccount') name: string): string {
    return name;
  }
}

describe('authenticateAs', () => {
  const principal = createTestPrincipal({ namespace: 'shop', serviceAccount: 'checkout' });
  const controllers = [ClassController, MethodController];
  const module = K8sAuthModule.forRoot({
    verifier: { kind: 'oidc-discovery', apiServer: { url: 'https://127.0.0.1:1', tokenFile: '/nowhere' } },
  });
  const overrideGuard = (builder: TestingModuleBuilder) => builder.overrideGuard(K8sAuthGuard);
  const overrideProvider = (builder: TestingModuleBuilder) => builder.overrideProvider(K8sAuthGuard);
  const global = { provide: APP_GUARD, useExisting: K8sAuthGuard };

  it.each([
    ['without the module', { controllers }, overrideGuard],
    ['with it', { imports: [module], controllers }, overrideGuard],
    ['with a global guard', { imports: [module], controllers, providers: [global] }, overrideProvider],
  ])('accepts every request as the principal, %s', async (_, metadata, override) => {
    for (const adapter of [new ExpressAdapter(), new FastifyAdapter()]) {
      const builder = override(Test.createTestingModule(metadata)).useValue(authenticateAs(principal));
      const app = (await builder.compile()).createNestApplication(adapter, { logger: false });
      try {
        await app.listen(0, '127.0.0.1');
        const url = await app.getUrl();
        const text = async (path: string) => (await fetch(`${url}/${path}`)).text();
        expect(await text('class')).toBe('system:serviceaccount:shop:checkout');
        expect(await text('method')).toBe('checkout');
      } finally {
        await app.close();
      }
    }
  });
});
