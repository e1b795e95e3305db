import { Controller, Get, Global, type INestApplication, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster } from '../testing/index.js';
import { ADAPTERS, newAdapter, send } from '../test-support/inbound-app.js';
import {
  Caller,
  ConfigurationError,
  K8sAuth,
  K8sAuthGuard,
  K8sAuthModule,
  type K8sAuthOptions,
  Public,
} from './index.js';

@Controller('near')
@K8sAuth()
class NearController {
  @Get() whoami(@Caller('issuer') issuer: string) {
    return issuer;
  }
}

@Controller('far')
@K8sAuth()
class FarController {
  @Get() whoami(@Caller('issuer') issuer: string) {
    return issuer;
  }
  @Get('open') @Public() open() {
    return 'open';
  }
}

@Controller('far-plain')
class FarPlainController {
  @Get() plain() {
    return 'plain';
  }
}

const clusters: LocalCluster[] = [];
let app: INestApplication | undefined;

/** The options of a root that trusts one cluster, and tokens of that cluster. */
async function trusting(name: string) {
  const cluster = await LocalCluster.start({ issuer: `https://${name}.test` });
  clusters.push(cluster);
  const file = join(tmpdir(), `k8s-auth-roots-${process.pid}-${name}.pem`);
  await writeFile(file, cluster.publicKeysPem());
  await cluster.createServiceAccount('shop', 'default');
  const options: K8sAuthOptions = {
    verifier: { kind: 'jwt-pubkey', issuer: `https://${name}.test`, publicKeyFiles: [file] },
    audience: 'orders',
  };
  const token = (audience = 'orders') =>
    cluster.createToken({ namespace: 'shop', serviceAccount: 'default', audiences: [audience] });
  return { options, token };
}

async function start(metadata: ModuleMetadata, adapter: 'express' | 'fastify' = 'express'): Promise<string> {
  const testing = await Test.createTestingModule(metadata).compile();
  app = testing.createNestApplication(newAdapter(adapter), { logger: false });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(() => Promise.all(clusters.map((cluster) => cluster.close())));

describe('a global K8sAuthModule and a second one in a feature module', () => {
  let near: Awaited<ReturnType<typeof trusting>>;
  let far: Awaited<ReturnType<typeof trusting>>;
  beforeAll(async () => {
    [near, far] = [await trusting('near'), await trusting('far')];
  });

  function modules(own: K8sAuthOptions): ModuleMetadata['imports'] {
    @Module({
      imports: [K8sAuthModule.forRoot({ ...own, isGlobal: false })],
      controllers: [FarController, FarPlainController],
    })
    class FarModule {}
    @Module({ controllers: [NearController] })
    class NearModule {}
    return [K8sAuthModule.forRoot(near.options), NearModule, FarModule];
  }

  describe.each(ADAPTERS)('on %s', (adapter) => {
    it.each([true, false])(
      'each verify the requests of the modules that they serve (guard global: %s)',
      async (isGlobal) => {
        const providers = isGlobal ? [{ provide: APP_GUARD, useExisting: K8sAuthGuard }] : [];
        const url = await start({ imports: modules(far.options) ?? [], providers }, adapter);
        const answerTo = async (path: string, token: string) => {
          const { status, body } = await send(`${url}/${path}`, `Bearer ${token}`);
          return status === 200 ? body : status;
        };
        expect(await answerTo('near', await near.token())).toBe('https://near.test');
        expect(await answerTo('near', await far.token())).toBe(401);
        expect(await answerTo('far', await far.token())).toBe('https://far.test');
        expect(await answerTo('far', await near.token())).toBe(401);
        expect(await answerTo('far/open', 'abc')).toBe('open');
        expect(await answerTo('far-plain', await near.token())).toBe(isGlobal ? 403 : 'plain');
      },
    );
  });

  it('each use the audience of their own options', async () => {
    const url = await start({ imports: modules({ ...far.options, audience: 'far-orders' }) ?? [] });
    const statusOf = async (path: string, token: string) =>
      (await send(`${url}/${path}`, `Bearer ${token}`)).status;
    expect(await statusOf('far', await far.token('far-orders'))).toBe(200);
    expect(await statusOf('far', await far.token('orders'))).toBe(401);
    expect(await statusOf('near', await near.token('orders'))).toBe(200);
  });

  it.each([true, false])(
    'fail startup when modules of both register a protected controller (guard global: %s)',
    async (isGlobal) => {
      @Module({
        imports: [K8sAuthModule.forRoot({ ...far.options, isGlobal: false })],
        controllers: [FarController],
      })
      class OwnModule {}
      const metadata = {
        imports: [K8sAuthModule.forRoot(near.options), OwnModule],
        controllers: [NearController, FarController],
        providers: isGlobal ? [{ provide: APP_GUARD, useExisting: K8sAuthGuard }] : [],
      };
      await expect(start(metadata)).rejects.toThrow('FarController.whoami: expected one forRoot to serve it');
    },
  );

  it('are found when a global module exports one of them again', async () => {
    const own = K8sAuthModule.forRoot({ ...far.options, isGlobal: false });
    @Global()
    @Module({ imports: [own], exports: [K8sAuthModule] })
    class ExportingModule {}
    await expect(start({ imports: [K8sAuthModule.forRoot(near.options), ExportingModule] })).rejects.toThrow(
      'expected at most one global forRoot',
    );
  });

  it('do not check the routes of each other, so one that only calls needs no verifier', async () => {
    @Module({ imports: [K8sAuthModule.forRoot({ destinations: [], isGlobal: false })] })
    class CallingModule {}
    const imports = [K8sAuthModule.forRoot(near.options), CallingModule];
    const url = await start({ imports, controllers: [NearController] });
    expect((await send(`${url}/near`, `Bearer ${await near.token()}`)).status).toBe(200);
  });

  it('report the mistakes of both in one error, each about its own routes', async () => {
    const { audience: _, ...withoutAudience } = far.options;
    @Module({
      imports: [K8sAuthModule.forRoot({ ...withoutAudience, isGlobal: false })],
      controllers: [FarController],
    })
    class FarModule {}
    const root = K8sAuthModule.forRoot({ destinations: [] });
    const error: unknown = await start({ imports: [root, FarModule], controllers: [NearController] }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).mistakes).toEqual([
      "NearController.whoami: expected option 'verifier' (variable K8S_AUTH_VERIFIER) because of @K8sAuth",
      expect.stringContaining('NearController.whoami: expected an audience'),
      expect.stringContaining('FarController.whoami: expected an audience'),
    ]);
  });
});
