import { Controller, Get, type INestApplication, type LoggerService, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../test-support/until.js';
import { LocalCluster } from '../testing/index.js';
import { K8sAuth, K8sAuthGuard, K8sAuthModule, type K8sAuthOptions, Public } from './index.js';

@Controller('orders')
@K8sAuth(['orders', 'orders-v2'])
class OrdersController {
  @Get() list() {}
  @Get('items') @K8sAuth('items') items() {}
  @Get('health') @Public() health() {}
}

@Controller('plain')
class PlainController {
  @Get() plain() {}
  @Get('other') other() {}
}

@Controller('metrics')
class MetricsController {
  @Get() index() {}
}

interface Entry {
  readonly message: string;
  readonly [field: string]: unknown;
}

let cluster: LocalCluster;
let app: INestApplication | undefined;
let entries: Entry[];

beforeEach(async () => {
  cluster = await LocalCluster.start();
  cluster.grant('create tokenreviews', 'shop/default');
  entries = [];
});
afterEach(async () => {
  await app?.close();
  await cluster.close();
});

const keep = (entry: Entry) => void entries.push(entry);
const logger = { log: keep, warn: keep, error: keep } as LoggerService;

async function start(options: K8sAuthOptions, controllers: Type[], { guardIsGlobal = false } = {}) {
  const testing = await Test.createTestingModule({
    imports: [K8sAuthModule.forRoot(options)],
    controllers,
    providers: guardIsGlobal ? [{ provide: APP_GUARD, useExisting: K8sAuthGuard }] : [],
  }).compile();
  app = testing.createNestApplication();
  app.useLogger(logger);
  await app.init();
}

async function startedLines(): Promise<Entry[]> {
  const started = () => entries.filter(({ message }) => message === 'K8sAuthModule has started');
  await until(() => started().length > 0);
  return started();
}

async function apiServer() {
  const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'default' });
  return { url: cluster.url, caFile: cluster.caFile, tokenFile: `${mount}/token` };
}

describe('startup', () => {
  it.each(['oidc-discovery', 'hybrid', 'tokenreview'] as const)(
    'logs one line that sums up a service with %s',
    async (kind) => {
      const options = {
        verifier: { kind, apiServer: await apiServer() },
        destinations: [{ origin: 'http://billing.shop.svc', tokenFile: '/nowhere' }],
        publicControllers: [MetricsController],
      };
      const controllers = [OrdersController, PlainController, MetricsController];
      await start(options, controllers, { guardIsGlobal: true });
      expect(await startedLines()).toEqual([
        {
          message: 'K8sAuthModule has started',
          verifier: kind,
          ...(kind !== 'tokenreview' && { issuer: [cluster.issuer] }),
          apiServer: cluster.url,
          audiences: ['orders', 'orders-v2', 'items'],
          routes: { protected: 2, public: 2, undecorated: 2, open: 0 },
          destinations: ['http://billing.shop.svc'],
        },
      ]);
    },
  );

  it('counts the undecorated routes that are open because K8sAuthGuard is not the APP_GUARD', async () => {
    const verifier = { kind: 'tokenreview', apiServer: await apiServer() } as const;
    await start({ verifier }, [OrdersController, PlainController]);
    expect(await startedLines()).toEqual([
      expect.objectContaining({ routes: { protected: 2, public: 1, undecorated: 2, open: 2 } }),
    ]);
  });

  it('says so if there is no verifier', async () => {
    await start({ destinations: [{ origin: 'http://billing.shop.svc:80', tokenFile: '/nowhere' }] }, []);
    expect(await startedLines()).toEqual([
      {
        message: 'K8sAuthModule has started',
        verifier: 'none',
        audiences: [],
        routes: { protected: 0, public: 0, undecorated: 0, open: 0 },
        destinations: ['http://billing.shop.svc'],
      },
    ]);
  });

  it.each(['oidc-discovery', 'hybrid', 'tokenreview'] as const)(
    'logs that a service with %s is ready, although nothing asks for its readiness',
    async (kind) => {
      await start({ verifier: { kind, apiServer: await apiServer() } }, [OrdersController]);
      const ready = () => entries.filter(({ status }) => status === 'ready');
      await until(() => ready().length > 0);
      expect(ready()).toEqual([expect.objectContaining({ message: 'readiness has changed' })]);
    },
  );
});
