import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { HttpService } from '@nestjs/axios';
import { type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { asAnonymous, asCaller, asRefused, suppliedTokens, testK8sAuth } from 'nest-k8s-auth/testing';
import { AppModule } from '../src/app.module.js';

describe('orders', () => {
  // A real server in place of a mock: another application of testK8sAuth could take its place.
  const authorizations: (string | undefined)[] = [];
  const billing = createServer((incoming, response) => {
    authorizations.push(incoming.headers.authorization);
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"invoice":"invoice-1"}');
  });
  let origin: string;
  let app: INestApplication;
  let url: string;

  before(async () => {
    await new Promise<void>((resolve) => billing.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(billing.address() as AddressInfo).port}`;
    const options = {
      audience: 'orders',
      destinations: [{ origin, tokenFile: '/unused', audience: 'billing' }],
    };
    const builder = Test.createTestingModule({ imports: [AppModule] });
    app = (await testK8sAuth(builder, { as: 'shop/checkout', options }).compile()).createNestApplication();
    app.get(HttpService, { strict: false }).axiosRef.interceptors.request.use((config) => {
      config.url = config.url?.replace('http://billing.shop.svc', origin);
      return config;
    });
    await app.listen(0, '127.0.0.1');
    url = `${await app.getUrl()}/orders`;
  });
  after(async () => {
    await app.close();
    billing.close();
  });

  it('greets the caller', async () => {
    assert.equal(await (await fetch(url)).text(), 'orders of system:serviceaccount:shop:checkout');
  });

  it('creates orders for checkout only', async () => {
    const { status } = await fetch(url, { method: 'POST', headers: [asCaller('shop/stock')] });
    assert.equal(status, 403);
  });

  it('answers 401 and 503', async () => {
    assert.equal((await fetch(url, { headers: [asAnonymous()] })).status, 401);
    assert.equal((await fetch(url, { headers: [asRefused(503)] })).status, 503);
  });

  it('bills a new order with a token for billing', async () => {
    const response = await fetch(url, { method: 'POST' });
    assert.equal(await response.text(), 'invoice-1');
    assert.match(String(authorizations), /^Bearer /);
    assert.deepEqual(suppliedTokens(app), [{ origin, audience: 'billing' }]);
  });
});
