import { Controller, Get, type Provider, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, K8sAuth, K8sAuthGuard, K8sAuthModule, type K8sAuthOptions } from './index.js';

@Controller()
class OrdersController {
  @Get() @K8sAuth('orders') list() {}
}

const MISSING = 'K8sAuthGuard (K8sAuthModule.forRoot is missing in the imports of the root module)';

async function startupError(controllers: Type[], providers: Provider[] = []): Promise<string> {
  const error: unknown = await Test.createTestingModule({ controllers, providers })
    .compile()
    .catch((thrown: unknown) => thrown);
  return (error as Error).message;
}

// In a file of its own, because a call of forRoot anywhere in the process changes the text.
describe('the error of Nest', () => {
  it('says that K8sAuthModule.forRoot is missing if a route has @K8sAuth', async () => {
    expect(await startupError([OrdersController])).toContain(`dependencies of the ${MISSING}`);
  });

  it('says that K8sAuthModule.forRoot is missing if K8sAuthGuard is the APP_GUARD', async () => {
    const providers = [{ provide: APP_GUARD, useExisting: K8sAuthGuard }];
    expect(await startupError([], providers)).toContain(`the argument ${MISSING}`);
    expect(await startupError([OrdersController], providers)).toContain(MISSING);
  });
});

describe('K8sAuthModule', () => {
  it.each([[undefined], [null], ['oidc-discovery'], [() => ({})]])(
    'fails with one sentence if the argument of forRoot is %p',
    (options) => {
      const call = () => K8sAuthModule.forRoot(options as unknown as K8sAuthOptions);
      expect(call).toThrow(ConfigurationError);
      expect(call).toThrow(
        "K8sAuthModule.forRoot: expected an object with the option 'verifier', 'destinations' or both",
      );
    },
  );

  it.each([[undefined], [{}], [{ useFactory: { audience: 'orders' } }]])(
    'fails with one sentence if the argument of forRootAsync is %p',
    (options) => {
      const call = () => K8sAuthModule.forRootAsync(options as never);
      expect(call).toThrow(ConfigurationError);
      expect(call).toThrow(
        'K8sAuthModule.forRootAsync: expected an object with useFactory, useClass or useExisting',
      );
    },
  );
});

describe('K8sAuthGuard', () => {
  it('has its usual name once forRoot was called', () => {
    K8sAuthModule.forRoot({ destinations: [] });
    expect(K8sAuthGuard.name).toBe('K8sAuthGuard');
  });
});
