import { afterEach, describe, expect, it } from '@jest/globals';
import { type Server } from 'node:http';
import { Controller, type DynamicModule, Get, type INestApplication, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  Caller,
  ConfigurationError,
  K8sAuth,
  k8sAuthConfig,
  K8sAuthModule,
  type K8sAuthOptions,
} from '../../src/index.js';
import { asCaller, testK8sAuth, type TestK8sAuthOptions } from '../index.js';

@Controller()
@K8sAuth()
class AudiencesController {
  @Get()
  audiences(@Caller('audiences') audiences: string[]): string {
    return audiences.join();
  }
}

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function audiencesOf(imports: DynamicModule[], options: TestK8sAuthOptions = {}): Promise<string> {
  @Module({ imports, controllers: [AudiencesController] })
  class AppModule {}
  const builder = testK8sAuth(Test.createTestingModule({ imports: [AppModule] }), options);
  const app = (await builder.compile()).createNestApplication({ logger: false });
  apps.push(app);
  await app.init();
  const response = await request(app.getHttpServer() as Server)
    .get('/')
    .set(...asCaller('shop/checkout'));
  return response.text;
}

const needsEnvironment = (): K8sAuthOptions => {
  throw new Error('ORDERS_AUDIENCE is not set');
};

describe('options of an application of testK8sAuth', () => {
  const variables = Object.keys(process.env).filter((name) => name.startsWith('K8S_AUTH_'));

  it('are those of forRoot', async () => {
    const module = K8sAuthModule.forRoot({ verifier: { kind: 'tokenreview' }, audience: 'orders' });
    expect(await audiencesOf([module])).toBe('orders');
  });

  it('are those of a factory', async () => {
    const useFactory = () => Promise.resolve({ verifier: { kind: 'hybrid' }, audience: 'orders' } as const);
    expect(await audiencesOf([K8sAuthModule.forRootAsync({ useFactory })])).toBe('orders');
  });

  it('need no variable with k8sAuthConfig', async () => {
    expect(variables).toEqual([]);
    expect(await audiencesOf([K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider())])).toBe('test');
  });

  it('need no variable with k8sAuthConfig in ConfigModule.forRoot', async () => {
    const config = await ConfigModule.forRoot({ load: [k8sAuthConfig], ignoreEnvFile: true, isGlobal: true });
    const useFactory = (options: K8sAuthOptions) => ({ ...options, audience: 'orders' });
    const module = K8sAuthModule.forRootAsync({ inject: [k8sAuthConfig.KEY], useFactory });
    expect(await audiencesOf([config, module])).toBe('orders');
  });

  it('are replaced by `options`, without a call of the factory', async () => {
    const options = { audience: ['stock', 'stock-v2'] };
    const own = K8sAuthModule.forRootAsync({ useFactory: needsEnvironment });
    await expect(audiencesOf([own])).rejects.toThrow('ORDERS_AUDIENCE is not set');
    expect(await audiencesOf([own], { options })).toBe('stock,stock-v2');
    const environment = K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider());
    expect(await audiencesOf([environment], { options })).toBe('stock,stock-v2');
  });

  it.each<[string, K8sAuthOptions]>([
    ['no verifier', { destinations: [], audience: 'orders' }],
    ['no audience', { verifier: { kind: 'oidc-discovery' } }],
    [
      'the audience of the API server',
      { verifier: { kind: 'oidc-discovery' }, audience: 'https://kubernetes.default.svc' },
    ],
    [
      'an unknown option',
      { verifier: { kind: 'oidc-discovery' }, audience: 'orders', typo: 1 } as K8sAuthOptions,
    ],
  ])('fail startup as in production: %s', async (_, options) => {
    await expect(audiencesOf([K8sAuthModule.forRoot(options)])).rejects.toThrow(ConfigurationError);
  });
});
