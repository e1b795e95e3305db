import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import { type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import AxiosMockAdapter from 'axios-mock-adapter';
import { asAnonymous, asCaller, asRefused, suppliedTokens, testK8sAuth } from 'nest-k8s-auth/testing';
import request from 'supertest';
import { AppModule } from '../src/app.module.js';

describe('orders', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const testing = await testK8sAuth(Test.createTestingModule({ imports: [AppModule] }), {
      as: 'shop/checkout',
    }).compile();
    app = testing.createNestApplication();
    await app.init();
  });
  afterAll(() => app.close());

  it('greets the caller', async () => {
    await request(app.getHttpServer())
      .get('/orders')
      .expect(200, 'orders of system:serviceaccount:shop:checkout');
  });

  it('creates orders for checkout only', async () => {
    await request(app.getHttpServer())
      .post('/orders')
      .set(...asCaller('shop/stock'))
      .expect(403);
  });

  it('answers 401 and 503', async () => {
    await request(app.getHttpServer())
      .get('/orders')
      .set(...asAnonymous())
      .expect(401);
    await request(app.getHttpServer())
      .get('/orders')
      .set(...asRefused(503))
      .expect(503);
  });

  it('bills a new order with a token for billing', async () => {
    // `never`: the mock is CommonJS, and axios has other types for CommonJS than for ES modules.
    const mock = new AxiosMockAdapter(app.get(HttpService, { strict: false }).axiosRef as never);
    mock.onPost('http://billing.shop.svc/invoices').reply(201, { invoice: 'invoice-1' });
    await request(app.getHttpServer()).post('/orders').expect(201, 'invoice-1');
    expect(mock.history.post).toHaveLength(1);
    expect(suppliedTokens(app)).toEqual([{ origin: 'http://billing.shop.svc', audience: 'billing' }]);
  });
});
