import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpModule, HttpService } from '@nestjs/axios';
import {
  type DynamicModule,
  Inject,
  Injectable,
  type LoggerService,
  Module,
  type Type,
} from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigurationError } from '../../errors.js';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { K8sAuthHttpModule } from './k8s-auth-http.module.js';
import { type DestinationServer, type ListedServer, OutboundBench } from './outbound.fixture.js';

let bench: OutboundBench;
let listed: ListedServer;
let server: DestinationServer;
let app: TestingModule | undefined;
let warnings: unknown[];

beforeEach(async () => {
  bench = new OutboundBench();
  listed = await bench.listedServer();
  ({ server } = listed);
  warnings = [];
  app = undefined;
});

afterEach(async () => {
  // Nest 11 repeats here what startup has failed with.
  await app?.close().catch(() => {});
  await bench.close();
});

@Injectable()
class Caller {
  constructor(@Inject(HttpService) readonly http: HttpService) {}
}

/** What K8sAuthModule is for its importers. */
function authModule(tokenSource: K8sAuthTokenSource, { isGlobal = false } = {}): DynamicModule {
  return {
    module: class AuthModule {},
    global: isGlobal,
    providers: [{ provide: K8sAuthTokenSource, useValue: tokenSource }],
    exports: [K8sAuthTokenSource],
  };
}

function feature(...imports: (Type | DynamicModule)[]): Type {
  @Module({ imports, providers: [Caller] })
  class FeatureModule {}
  return FeatureModule;
}

/** A module that imports another one and exports it again. */
function exporting(module: DynamicModule): Type {
  @Module({ imports: [module], exports: [module.module] })
  class ExportingModule {}
  return ExportingModule;
}

async function start(...imports: (Type | DynamicModule)[]): Promise<TestingModule> {
  const keep = (event: unknown) => void warnings.push(event);
  const logger = { log() {}, warn: keep, error() {} } as LoggerService;
  app = await Test.createTestingModule({ imports }).setLogger(logger).compile();
  return app.init();
}

async function authorizationIn(module: Type): Promise<string | undefined> {
  const { http } = (app as TestingModule).select(module).get(Caller, { strict: true });
  await http.axiosRef.get(listed.origin);
  return server.last?.authorization;
}

async function mistakesOf(starting: Promise<unknown>): Promise<string> {
  const error: unknown = await starting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as ConfigurationError).mistakes.join();
}

describe('K8sAuthHttpModule: the K8sAuthModule that supplies its tokens', () => {
  it('is the one in `imports` of register, if it is not global', async () => {
    const auth = authModule(listed.tokenSource);
    const module = feature(auth, K8sAuthHttpModule.register({ timeout: 2000, imports: [auth] }));
    await start(module);
    await expect(authorizationIn(module)).resolves.toBe(`Bearer ${listed.token}`);
    const { defaults } = (app as TestingModule).select(module).get(Caller, { strict: true }).http.axiosRef;
    expect(defaults).toMatchObject({ timeout: 2000 });
    expect(defaults).not.toHaveProperty('imports');
  });

  it('is the one of the feature even if there is a global one', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const inFeature = feature(auth, K8sAuthHttpModule.register({ imports: [auth] }));
    const elsewhere = feature(K8sAuthHttpModule.register());
    await start(authModule(listed.tokenSource, { isGlobal: true }), inFeature, elsewhere);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${own.token}`);
    await expect(authorizationIn(elsewhere)).resolves.toBe(`Bearer ${listed.token}`);
  });

  it('is the one that the importing module imports itself, even if Nest also finds a global one', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const inFeature = feature(auth, K8sAuthHttpModule.register());
    await start(authModule(listed.tokenSource, { isGlobal: true }), inFeature);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${own.token}`);
  });

  it('is the one in `imports` of register, regardless of what the importing module imports', async () => {
    const auth = authModule(listed.tokenSource);
    const other = authModule(bench.tokenSource({}));
    const inFeature = feature(other, K8sAuthHttpModule.register({ imports: [auth] }));
    await start(authModule(bench.tokenSource({}), { isGlobal: true }), inFeature);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${listed.token}`);
  });

  it('is the one that a module imported by the feature exports again', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const inFeature = feature(exporting(auth), K8sAuthHttpModule.register());
    await start(authModule(listed.tokenSource, { isGlobal: true }), inFeature);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${own.token}`);
  });

  it('is the one that a module in `imports` of register exports again', async () => {
    const auth = authModule(listed.tokenSource);
    const inFeature = feature(K8sAuthHttpModule.register({ imports: [exporting(auth)] }));
    await start(authModule(bench.tokenSource({}), { isGlobal: true }), inFeature);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${listed.token}`);
  });

  it('is the one of the feature that gets the registration from a module that exports it again', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const inFeature = feature(auth, exporting(K8sAuthHttpModule.register()));
    await start(authModule(listed.tokenSource, { isGlobal: true }), inFeature);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${own.token}`);
  });

  it.each<[string, (registration: DynamicModule) => DynamicModule | Type]>([
    ['imported by both', (registration) => registration],
    ['exported again to both', (registration) => exporting(registration)],
    ['global', (registration) => ({ ...registration, global: true })],
  ])('fails startup if features of two roots share a registration that is %s', async (_name, share) => {
    const auth = authModule(bench.tokenSource({}));
    const shared = share(K8sAuthHttpModule.register());
    @Module({ imports: [auth, shared], providers: [Caller] })
    class OrdersModule {}
    @Module({ imports: [shared], providers: [Caller] })
    class StockModule {}
    const root = authModule(listed.tokenSource, { isGlobal: true });
    const mistakes = await mistakesOf(start(root, OrdersModule, StockModule));
    expect(mistakes).toContain('K8sAuthHttpModule: expected the modules that share one registration');
    for (const name of ['OrdersModule', 'StockModule']) expect(mistakes).toContain(name);
  });

  it('starts if features of one root share a registration, and a feature of another root has its own', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const shared = K8sAuthHttpModule.register();
    const [first, second] = [feature(shared), feature(shared)];
    const apart = feature(auth, K8sAuthHttpModule.register({ timeout: 1000 }));
    await start(authModule(listed.tokenSource, { isGlobal: true }), first, second, apart);
    for (const module of [first, second])
      await expect(authorizationIn(module)).resolves.toBe(`Bearer ${listed.token}`);
    await expect(authorizationIn(apart)).resolves.toBe(`Bearer ${own.token}`);
  });

  it('is the right one for a request that is sent while Nest creates providers', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const useFactory = ({ axiosRef }: HttpService) => axiosRef.get(listed.origin);
    @Module({
      imports: [auth, K8sAuthHttpModule.register()],
      providers: [{ provide: 'early', useFactory, inject: [HttpService] }],
    })
    class EarlyModule {}
    await start(authModule(listed.tokenSource, { isGlobal: true }), EarlyModule);
    expect(server.last?.authorization).toBe(`Bearer ${own.token}`);
  });

  it.each([
    ['register', () => K8sAuthHttpModule.register()],
    ['registerAsync', () => K8sAuthHttpModule.registerAsync({ useFactory: () => ({}) })],
  ])('fails startup with a clear message when there is none: %s', async (_name, register) => {
    const mistakes = await mistakesOf(start(feature(authModule(listed.tokenSource), register())));
    expect(mistakes).toMatch(/K8sAuthHttpModule needs K8sAuthModule: .*imports.*register/);
  });
});

describe('K8sAuthHttpModule without register', () => {
  it.each([
    ['where someone injects HttpService', () => feature(K8sAuthHttpModule)],
    ['where nobody does', () => K8sAuthHttpModule],
  ])('fails startup with a clear message: %s', async (_name, module) => {
    const mistakes = await mistakesOf(start(authModule(listed.tokenSource, { isGlobal: true }), module()));
    expect(mistakes).toContain('K8sAuthHttpModule.register()');
  });
});

describe('K8sAuthHttpModule: a mock of HttpService in tests', () => {
  it.each([
    ['an HttpService that has one verb', { get: () => 'made up' }],
    ['an empty axiosRef', { axiosRef: {} }],
    ['a partial axiosRef', { axiosRef: { get: () => 'made up', interceptors: { request: {} } } }],
  ])('may be %s', async (_name, mock) => {
    const module = feature(K8sAuthHttpModule.register());
    const auth = authModule(listed.tokenSource, { isGlobal: true });
    app = await Test.createTestingModule({ imports: [module, auth] })
      .overrideProvider(HttpService)
      .useValue(mock)
      .compile();
    expect(app.select(module).get(Caller, { strict: true }).http).toBe(mock);
  });
});

describe('K8sAuthHttpModule beside HttpModule', () => {
  @Module({ imports: [HttpModule], exports: [HttpModule] })
  class SharedModule {}

  const message = expect.stringContaining('HttpModule is imported beside K8sAuthHttpModule') as unknown;

  it.each<[string, (ours: DynamicModule) => (Type | DynamicModule)[]]>([
    ['before it', (ours) => [HttpModule, ours]],
    ['after it', (ours) => [ours, HttpModule.register({})]],
    ['in a module that exports it', (ours) => [SharedModule, ours]],
  ])('warns at startup and names the module: %s', async (_name, imports) => {
    const module = feature(...imports(K8sAuthHttpModule.register()));
    await start(module, authModule(listed.tokenSource, { isGlobal: true }));
    expect(warnings).toEqual([{ message, module: 'FeatureModule' }]);
  });

  it('does not warn about separate modules or a global HttpModule', async () => {
    await start(
      feature(K8sAuthHttpModule.register()),
      feature(HttpModule),
      HttpModule.register({ global: true }),
      authModule(listed.tokenSource, { isGlobal: true }),
    );
    expect(warnings).toEqual([]);
  });

  it('does not warn when it is global itself', async () => {
    const module = feature();
    const auth = authModule(listed.tokenSource, { isGlobal: true });
    await start(K8sAuthHttpModule.register({ global: true }), module, auth);
    await expect(authorizationIn(module)).resolves.toBe(`Bearer ${listed.token}`);
  });
});
