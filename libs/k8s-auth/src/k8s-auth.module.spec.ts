import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { LocalCluster } from '../testing/index.js';
import { ConfigurationError } from './errors.js';
import {
  K8sAuth,
  K8sAuthGuard,
  K8sAuthModule,
  type K8sAuthOptions,
  type K8sAuthOptionsFactory,
  K8sAuthTokenSource,
} from './index.js';

@Controller('named')
class NamedController {
  @Get()
  @K8sAuth('orders')
  list(): string {
    return 'ok';
  }
}

@Controller('module-audience')
class ModuleAudienceController {
  @Get()
  @K8sAuth()
  list(): string {
    return 'ok';
  }
}

@Controller('undecorated')
class UndecoratedController {
  @Get()
  list(): string {
    return 'ok';
  }
}

describe('K8sAuthModule', () => {
  let cluster: LocalCluster;
  let options: K8sAuthOptions;
  let module: TestingModule | undefined;

  beforeEach(async () => {
    cluster = await LocalCluster.start();
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'default' });
    options = {
      verifier: {
        kind: 'oidc-discovery',
        apiServer: { url: cluster.url, caFile: cluster.caFile, tokenFile: `${mount}/token` },
      },
      audience: 'orders',
    };
    module = undefined;
  });
  afterEach(async () => {
    // Nest 11 tells once more why an application has not started.
    await module?.close().catch(() => {});
    await cluster.close();
  });

  async function boot(metadata: ModuleMetadata): Promise<TestingModule> {
    module = await Test.createTestingModule(metadata)
      .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
      .compile();
    return module.init();
  }

  async function mistakesOf(metadata: ModuleMetadata): Promise<readonly string[]> {
    const error: unknown = await boot(metadata).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).mistakes;
  }

  @Injectable()
  class Factory implements K8sAuthOptionsFactory {
    createK8sAuthOptions(): K8sAuthOptions {
      return options;
    }
  }
  @Module({ providers: [Factory], exports: [Factory] })
  class FactoryModule {}

  it.each([
    ['forRoot', () => K8sAuthModule.forRoot(options)],
    ['useFactory', () => K8sAuthModule.forRootAsync({ useFactory: () => Promise.resolve(options) })],
    ['useClass', () => K8sAuthModule.forRootAsync({ useClass: Factory })],
    ['useExisting', () => K8sAuthModule.forRootAsync({ imports: [FactoryModule], useExisting: Factory })],
  ])('starts with %s, and guards controllers of modules that do not import it', async (_, root) => {
    @Module({ controllers: [NamedController, ModuleAudienceController] })
    class FeatureModule {}
    const booted = await boot({ imports: [root(), FeatureModule] });
    expect(booted.get(K8sAuthGuard, { strict: false })).toBeInstanceOf(K8sAuthGuard);
  });

  it('serves only the modules that import it when isGlobal is false', async () => {
    @Module({ controllers: [NamedController] })
    class FeatureModule {}
    const root = K8sAuthModule.forRoot({ ...options, isGlobal: false });
    await expect(boot({ imports: [root, FeatureModule] })).rejects.toThrow(/can't resolve dependencies/);
    await boot({ imports: [root], controllers: [NamedController] });
  });

  it('rejects wrong options before any other step', async () => {
    expect(await mistakesOf({ imports: [K8sAuthModule.forRoot({ audience: '' })] })).toEqual([
      expect.stringContaining("option 'audience'"),
      expect.stringContaining("'verifier', 'destinations'"),
    ]);
  });

  it('fails startup and names every route without an audience', async () => {
    const imports = [K8sAuthModule.forRoot({ verifier: options.verifier })];
    expect(await mistakesOf({ imports, controllers: [NamedController, ModuleAudienceController] })).toEqual([
      expect.stringContaining('ModuleAudienceController.list'),
    ]);
  });

  it('fails startup and names a guarded route in a service without a verifier', async () => {
    const imports = [K8sAuthModule.forRoot({ destinations: [] })];
    expect(await mistakesOf({ imports, controllers: [NamedController] })).toEqual([
      expect.stringMatching(/NamedController\.list.*'verifier'/),
    ]);
  });

  it('starts without a verifier and without routes in a service that only calls others', async () => {
    const destinations = [{ origin: 'http://service2.mytest.svc', tokenFile: '/nowhere' }];
    const booted = await boot({
      imports: [K8sAuthModule.forRoot({ destinations })],
      controllers: [UndecoratedController],
    });
    const source = booted.get(K8sAuthTokenSource);
    await expect(source.getToken('http://other.svc')).resolves.toBeUndefined();
    await expect(source.getToken('http://service2.mytest.svc')).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE',
    });
  });

  it.each([
    'https://kubernetes.default.svc',
    'https://kubernetes.default.svc.cluster.local',
    'https://issuer.example',
  ])('fails startup with the audience %s, which the API server accepts itself', async (audience) => {
    await cluster.close();
    cluster = await LocalCluster.start({ issuer: 'https://issuer.example' });
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'default' });
    const verifier = {
      kind: 'oidc-discovery' as const,
      apiServer: { url: cluster.url, caFile: cluster.caFile, tokenFile: `${mount}/token` },
    };
    const controllers = [ModuleAudienceController];
    expect(
      await mistakesOf({ imports: [K8sAuthModule.forRoot({ verifier, audience })], controllers }),
    ).toEqual([expect.stringMatching(/ModuleAudienceController\.list.*allowApiServerAudience/)]);
    await boot({
      imports: [K8sAuthModule.forRoot({ verifier, audience, allowApiServerAudience: true })],
      controllers,
    });
  });

  it('fails startup with an audience option that the API server accepts, even if no route uses it', async () => {
    const audience = 'https://kubernetes.default.svc';
    expect(await mistakesOf({ imports: [K8sAuthModule.forRoot({ ...options, audience })] })).toEqual([
      expect.stringMatching(/^option 'audience'/),
    ]);
  });

  it('fails startup with a second global root, because it is unclear which one serves a module', async () => {
    const destinations = [{ origin: 'http://service2.mytest.svc', tokenFile: '/nowhere' }];
    const imports = [K8sAuthModule.forRoot(options), K8sAuthModule.forRoot({ destinations })];
    expect(await mistakesOf({ imports })).toEqual([
      expect.stringContaining('expected at most one global forRoot'),
    ]);
  });
});
