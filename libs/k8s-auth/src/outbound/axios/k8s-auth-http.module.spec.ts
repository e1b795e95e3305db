import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpModule, type HttpModuleOptionsFactory, HttpService } from '@nestjs/axios';
import { type DynamicModule, Inject, Injectable, Module, type OnModuleInit, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import axios from 'axios';
import { firstValueFrom } from 'rxjs';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { K8sAuthHttpModule } from './k8s-auth-http.module.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';

let bench: OutboundBench;
let server: DestinationServer;
let token: string;
let tokenSource: K8sAuthTokenSource;
let app: TestingModule;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, token, tokenSource } = await bench.listedServer());
});

afterEach(async () => {
  await app.close();
  await bench.close();
});

/** What K8sAuthModule does for everybody. */
function globalTokenSource(): DynamicModule {
  return {
    module: class TokenSourceModule {},
    global: true,
    providers: [{ provide: K8sAuthTokenSource, useValue: tokenSource }],
    exports: [K8sAuthTokenSource],
  };
}

/** A module of the user's, with a service that calls as soon as it is initialised. */
function callerModule(httpModule: DynamicModule | Type): { module: Type; caller: Type<Caller> } {
  @Injectable()
  class EagerCaller extends Caller implements OnModuleInit {
    async onModuleInit(): Promise<void> {
      await firstValueFrom(this.http.get(server.origin()));
    }
  }
  @Module({ imports: [httpModule], providers: [EagerCaller], exports: [EagerCaller] })
  class CallerModule {}
  return { module: CallerModule, caller: EagerCaller };
}

class Caller {
  constructor(@Inject(HttpService) readonly http: HttpService) {}
}

async function start(...modules: (Type | DynamicModule)[]): Promise<void> {
  app = await Test.createTestingModule({ imports: [...modules, globalTokenSource()] }).compile();
  await app.init();
}

function authorizations(): (string | undefined)[] {
  return server.arrivals.map(({ authorization }) => authorization);
}

class HttpOptions implements HttpModuleOptionsFactory {
  createHttpOptions() {
    return { headers: { 'X-From': 'class' } };
  }
}

@Module({ providers: [HttpOptions], exports: [HttpOptions] })
class HttpOptionsModule {}

describe('K8sAuthHttpModule', () => {
  it('provides an HttpService that sends tokens from the first onModuleInit on', async () => {
    const { module } = callerModule(K8sAuthHttpModule.register());
    await start(module);
    expect(authorizations()).toEqual([`Bearer ${token}`]);
  });

  it('passes the options to axios', async () => {
    const { module, caller } = callerModule(
      K8sAuthHttpModule.register({ timeout: 2000, headers: { 'X-Mine': '1' } }),
    );
    await start(module);
    expect(app.get(caller, { strict: false }).http.axiosRef.defaults.timeout).toBe(2000);
    expect(server.last?.headers).toMatchObject({ 'x-mine': '1' });
  });

  it('creates a separate, attached instance for each registration', async () => {
    const one = callerModule(K8sAuthHttpModule.register());
    const other = callerModule(K8sAuthHttpModule.register());
    await start(one.module, other.module);
    expect(authorizations()).toEqual(Array(2).fill(`Bearer ${token}`));
    const instances = [one, other].map(({ caller }) => app.get(caller, { strict: false }).http.axiosRef);
    expect(instances[0]).not.toBe(instances[1]);
  });

  it('creates an instance for each application that is made from one registration', async () => {
    const { module, caller } = callerModule(K8sAuthHttpModule.register());
    const instances = [];
    for (let count = 0; count < 2; count++) {
      await start(module);
      instances.push(app.get(caller, { strict: false }).http.axiosRef);
      if (count === 0) await app.close();
    }
    expect(instances[0]).not.toBe(instances[1]);
    expect(authorizations()).toEqual(Array(2).fill(`Bearer ${token}`));
  });

  it.each([
    ['useFactory', { useFactory: () => Promise.resolve({ headers: { 'X-From': 'factory' } }) }, 'factory'],
    ['useClass', { useClass: HttpOptions }, 'class'],
    ['useExisting', { useExisting: HttpOptions, imports: [HttpOptionsModule] }, 'class'],
  ])('accepts options with %s', async (_name, options, from) => {
    await start(callerModule(K8sAuthHttpModule.registerAsync(options)).module);
    expect(authorizations()).toEqual([`Bearer ${token}`]);
    expect(server.last?.headers).toMatchObject({ 'x-from': from });
  });

  it('finds a token source in the imports of registerAsync', async () => {
    const local = { ...globalTokenSource(), global: false };
    const httpModule = K8sAuthHttpModule.registerAsync({ useFactory: () => ({}), imports: [local] });
    app = await Test.createTestingModule({ imports: [callerModule(httpModule).module] }).compile();
    await app.init();
    expect(authorizations()).toEqual([`Bearer ${token}`]);
  });

  it('does not add tokens to other HttpModules and the default axios', async () => {
    await start(
      callerModule(K8sAuthHttpModule.register()).module,
      callerModule(HttpModule).module,
      callerModule(HttpModule.register({})).module,
    );
    await axios.get(server.origin());
    expect(authorizations().filter((authorization) => authorization !== undefined)).toEqual([
      `Bearer ${token}`,
    ]);
    expect(server.arrivals).toHaveLength(4);
  });
});
