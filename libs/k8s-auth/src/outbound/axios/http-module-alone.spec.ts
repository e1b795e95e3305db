import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Inject, type LoggerService, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { K8sAuthModule } from '../../k8s-auth.module.js';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';
import { K8sAuthHttpModule } from './k8s-auth-http.module.js';
import { type ListedServer, OutboundBench } from './outbound.fixture.js';

const MESSAGE = 'no token is attached to requests of HttpModule';

let bench: OutboundBench;
let listed: ListedServer;

beforeEach(async () => {
  bench = new OutboundBench();
  listed = await bench.listedServer();
});

afterEach(() => bench.close());

function root({ isGlobal = true, hasDestination = true } = {}): DynamicModule {
  const destination = { origin: listed.origin, tokenFile: listed.volume.file };
  return K8sAuthModule.forRoot({ destinations: hasDestination ? [destination] : [], isGlobal });
}

function feature(...imports: (Type | DynamicModule)[]): Type {
  @Module({ imports })
  class FeatureModule {}
  return FeatureModule;
}

function warningsOf(...imports: (Type | DynamicModule)[]): Promise<object[]> {
  return warningsThatStart(MESSAGE, ...imports);
}

async function warningsThatStart(start: string, ...imports: (Type | DynamicModule)[]): Promise<object[]> {
  const warnings: { message: string }[] = [];
  const keep = (event: { message: string }) => void warnings.push(event);
  const logger = { log() {}, warn: keep, error() {} } as LoggerService;
  const app = await Test.createTestingModule({ imports }).setLogger(logger).compile();
  await app.init();
  await app.close();
  return warnings.filter(({ message }) => message.startsWith(start));
}

describe('HttpModule in an application with destinations', () => {
  it('causes one warning that names the modules when no instance is attached', async () => {
    const modules = [
      feature(HttpModule),
      feature(root({ isGlobal: false }), HttpModule.register({ timeout: 1 })),
    ];
    const warnings = await warningsOf(root(), ...modules);
    expect(warnings).toEqual([{ message: expect.any(String) as unknown, modules: ['FeatureModule'] }]);
  });

  it('causes no warning beside K8sAuthHttpModule in another module', async () => {
    const modules = [feature(HttpModule), feature(K8sAuthHttpModule.register())];
    await expect(warningsOf(root(), ...modules)).resolves.toEqual([]);
  });

  it('causes no warning when its instance is attached with attachK8sAuth', async () => {
    @Module({ imports: [HttpModule] })
    class AttachingModule {
      constructor(
        @Inject(HttpService) { axiosRef }: HttpService,
        @Inject(K8sAuthTokenSource) source: K8sAuthTokenSource,
      ) {
        attachK8sAuth(axiosRef, source);
      }
    }
    await expect(warningsOf(root(), AttachingModule)).resolves.toEqual([]);
  });

  it('causes no warning without destinations', async () => {
    await expect(warningsOf(root({ hasDestination: false }), feature(HttpModule))).resolves.toEqual([]);
  });
});

describe('K8sAuthHttpModule', () => {
  const ATTACHES_NONE = 'K8sAuthHttpModule attaches no token to any request';

  it('causes a warning in an application without destinations', async () => {
    const imports = [root({ hasDestination: false }), feature(K8sAuthHttpModule.register())];
    await expect(warningsThatStart(ATTACHES_NONE, ...imports)).resolves.toEqual([
      { message: expect.stringContaining('K8S_AUTH_DESTINATIONS') as unknown },
    ]);
  });

  it('causes no warning in an application with a destination', async () => {
    const imports = [root(), feature(K8sAuthHttpModule.register())];
    await expect(warningsThatStart(ATTACHES_NONE, ...imports)).resolves.toEqual([]);
  });
});
