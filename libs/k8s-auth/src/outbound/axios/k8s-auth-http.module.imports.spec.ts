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
  await app?.close();
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

describe('K8sAuthHttpModule: which K8sAuthModule', () => {
  it('is the one that `imports` of register names, where it is not global', async () => {
    const auth = authModule(listed.tokenSource);
    const module = feature(auth, K8sAuthHttpModule.register({ timeout: 2000, imports: [auth] }));
    await start(module);
    await expect(authorizationIn(module)).resolves.toBe(`Bearer ${listed.token}`);
    const { defaults } = (app as TestingModule).select(module).get(Caller, { strict: true }).http.axiosRef;
    expect(defaults).toMatchObject({ timeout: 2000 });
    expect(defaults).not.toHaveProperty('imports');
  });

  it('is the one of the feature even where there is a global one', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const inFeature = feature(auth, K8sAuthHttpModule.register({ imports: [auth] }));
    const elsewhere = feature(K8sAuthHttpModule.register());
    await start(authModule(listed.tokenSource, { isGlobal: true }), inFeature, elsewhere);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${own.token}`);
    await expect(authorizationIn(elsewhere)).resolves.toBe(`Bearer ${listed.token}`);
  });

  it('is the one that the importing module imports itself, where Nest finds a global one too', async () => {
    const own = await bench.tokenVolume();
    const auth = authModule(bench.tokenSource({ [listed.origin]: own.volume }));
    const inFeature = feature(auth, K8sAuthHttpModule.register());
    await start(authModule(listed.tokenSource, { isGlobal: true }), inFeature);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${own.token}`);
  });

  it('is the one in `imports` of register whatever the importing module imports', async () => {
    const auth = authModule(listed.tokenSource);
    const other = authModule(bench.tokenSource({}));
    const inFeature = feature(other, K8sAuthHttpModule.register({ imports: [auth] }));
    await start(authModule(bench.tokenSource({}), { isGlobal: true }), inFeature);
    await expect(authorizationIn(inFeature)).resolves.toBe(`Bearer ${listed.token}`);
  });

  it.each([
    ['register', () => K8sAuthHttpModule.register()],
    ['registerAsync', () => K8sAuthHttpModule.registerAsync({ useFactory: () => ({}) })],
  ])('fails startup in plain words when there is none: %s', async (_name, register) => {
    const mistakes = await mistakesOf(start(feature(authModule(listed.tokenSource), register())));
    expect(mistakes).toMatch(/K8sAuthHttpModule needs K8sAuthModule: .*imports.*register/);
  });
});

describe('K8sAuthHttpModule without register', () => {
  it.each([
    ['where someone injects HttpService', () => feature(K8sAuthHttpModule)],
    ['where nobody does', () => K8sAuthHttpModule],
  ])('fails startup in plain words: %s', async (_name, module) => {
    const mistakes = await mistakesOf(start(authModule(listed.tokenSource, { isGlobal: true }), module()));
    expect(mistakes).toContain('K8sAuthHttpModule.register()');
  });
});

describe('K8sAuthHttpModule: what tests put in its place', () => {
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

  it('says nothing about modules of their own, nor about a global HttpModule', async () => {
    await start(
      feature(K8sAuthHttpModule.register()),
      feature(HttpModule),
      HttpModule.register({ global: true }),
      authModule(listed.tokenSource, { isGlobal: true }),
    );
    expect(warnings).toEqual([]);
  });

  it('may be global itself', async () => {
    const module = feature();
    const auth = authModule(listed.tokenSource, { isGlobal: true });
    await start(K8sAuthHttpModule.register({ global: true }), module, auth);
    await expect(authorizationIn(module)).resolves.toBe(`Bearer ${listed.token}`);
  });
});
