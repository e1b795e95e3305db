import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import {
  allowServiceAccounts,
  Caller,
  K8sAuth,
  K8sAuthHttpModule,
  K8sAuthModule,
  K8sAuthReadiness,
  K8sAuthTokenSource,
} from '../../src/index.js';
import { suppliedTokens, testK8sAuth, type TestK8sAuthOptions } from '../index.js';

const tokenFile = '/missing/tokens/billing';
const destinations = [
  { origin: 'http://billing.shop.svc', tokenFile, audience: 'billing' },
  { origin: 'http://STOCK.shop.svc:80', tokenFile },
];

@Module({ imports: [K8sAuthModule.forRoot({ destinations }), K8sAuthHttpModule.register()] })
class ClientModule {}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startClient(options?: TestK8sAuthOptions): Promise<INestApplication> {
  const builder = testK8sAuth(Test.createTestingModule({ imports: [ClientModule] }), options);
  const app = (await builder.compile()).createNestApplication({ logger: false });
  closing.push(() => app.close());
  return app.init();
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('suppliedTokens', () => {
  it('names destination and audience of each token, and not the token', async () => {
    const app = await startClient();
    const source = app.get(K8sAuthTokenSource);
    const token = await source.getToken('http://billing.shop.svc/invoices?id=1');
    expect(token).toMatch(/^test-token-/);
    expect(await source.getToken('http://stock.shop.svc')).not.toBe(token);
    expect(await source.getToken('http://elsewhere.shop.svc')).toBeUndefined();
    const supplied = suppliedTokens(app);
    expect(supplied).toEqual([
      { origin: 'http://billing.shop.svc', audience: 'billing' },
      { origin: 'http://STOCK.shop.svc:80' },
    ]);
    supplied.length = 0;
    await source.getToken('http://billing.shop.svc');
    expect(suppliedTokens(app)).toHaveLength(1);
  });

  it('has one entry for each request of HttpService, without a token file', async () => {
    const received: IncomingHttpHeaders[] = [];
    const answer = (status: number) =>
      createServer((request, response) => {
        received.push(request.headers);
        response.writeHead(status).end();
      });
    const [accepting, refusing, unlisted] = [
      await listen(answer(200)),
      await listen(answer(401)),
      await listen(answer(200)),
    ];
    const app = await startClient({
      options: {
        destinations: [
          { origin: accepting, tokenFile, audience: 'billing' },
          { origin: refusing, tokenFile, audience: 'stock' },
        ],
      },
    });
    const { axiosRef } = app.get(HttpService, { strict: false });
    for (const url of [accepting, refusing, unlisted]) await axiosRef.get(url, { validateStatus: null });
    expect(received.map(({ authorization }) => authorization)).toEqual([
      expect.stringMatching(/^Bearer test-token-/),
      expect.stringMatching(/^Bearer test-token-/),
      undefined,
    ]);
    expect(suppliedTokens(app)).toEqual([
      { origin: accepting, audience: 'billing' },
      { origin: refusing, audience: 'stock' },
    ]);
  });

  it('fails for an application without testK8sAuth', async () => {
    const app = await Test.createTestingModule({ imports: [ClientModule] }).compile();
    expect(() => suppliedTokens(app)).toThrow('suppliedTokens: expected an application of testK8sAuth');
  });
});

describe('the calling side of testK8sAuth', () => {
  it('is ready without token files', async () => {
    const app = await startClient();
    expect(app.get(K8sAuthReadiness).check()).toEqual({ status: 'ready' });
    expect(app.get(K8sAuthTokenSource).states()).toMatchObject([{ hasToken: true }, { hasToken: true }]);
  });

  it('calls another application of testK8sAuth as `self`', async () => {
    @Controller()
    @K8sAuth('billing', allowServiceAccounts('shop/orders'))
    class BillingController {
      @Get()
      hello(@Caller('username') username: string): string {
        return `hello ${username}`;
      }
    }
    @Module({
      imports: [K8sAuthModule.forRoot({ verifier: { kind: 'oidc-discovery' } })],
      controllers: [BillingController],
    })
    class BillingModule {}
    const testing = await testK8sAuth(Test.createTestingModule({ imports: [BillingModule] })).compile();
    const billing = testing.createNestApplication({ logger: false });
    closing.push(() => billing.close());
    await billing.listen(0, '127.0.0.1');
    const origin = await billing.getUrl();

    const call = async (audience: string) => {
      const app = await startClient({
        self: 'shop/orders',
        options: { destinations: [{ origin, tokenFile, audience }] },
      });
      const http = app.get(HttpService, { strict: false });
      return firstValueFrom(http.get<string>(origin, { validateStatus: null }));
    };
    expect(await call('billing')).toMatchObject({
      status: 200,
      data: 'hello system:serviceaccount:shop:orders',
    });
    expect(await call('stock')).toMatchObject({ status: 401 });
  });
});
