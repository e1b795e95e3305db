import { type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { asAnonymous, asCaller, asRefused, suppliedTokens, testK8sAuth } from 'nest-k8s-auth/testing';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../src/app.module.js';

describe('orders', () => {
  let app: INestApplication;
  const server = setupServer();

  beforeAll(() => server.listen({ onUnhandledRequest: 'bypass' })); // supertest sends real requests to loopback
  afterAll(() => server.close());

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
    server.use(
      http.post('http://billing.shop.svc/invoices', ({ request }) =>
        request.headers.get('authorization')?.startsWith('Bearer ')
          ? HttpResponse.json({ invoice: 'invoice-1' }, { status: 201 })
          : HttpResponse.text('', { status: 401 }),
      ),
    );
    await request(app.getHttpServer()).post('/orders').expect(201, 'invoice-1');
    expect(suppliedTokens(app)).toEqual([{ origin: 'http://billing.shop.svc', audience: 'billing' }]);
  });
});
