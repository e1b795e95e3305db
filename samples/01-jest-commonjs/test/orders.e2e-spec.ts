import { type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import nock from 'nock';
import { asAnonymous, asCaller, asRefused, suppliedTokens, testK8sAuth } from 'nest-k8s-auth/testing';
import request from 'supertest';
import { AppModule } from '../src/app.module';

describe('orders', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const testing = await testK8sAuth(Test.createTestingModule({ imports: [AppModule] }), {
      as: 'shop/checkout',
      options: {
        audience: 'orders',
        destinations: [{ origin: 'http://billing.shop.svc', tokenFile: '/unused', audience: 'billing' }],
      },
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
    nock('http://billing.shop.svc')
      .matchHeader('authorization', /^Bearer /)
      .post('/invoices', { order: 'order-1' })
      .reply(201, { invoice: 'invoice-1' });
    await request(app.getHttpServer()).post('/orders').expect(201, 'invoice-1');
    expect(suppliedTokens(app)).toEqual([{ origin: 'http://billing.shop.svc', audience: 'billing' }]);
  });
});
