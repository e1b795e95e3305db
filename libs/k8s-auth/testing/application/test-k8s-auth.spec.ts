import { afterEach, describe, expect, it } from '@jest/globals';
import { type Response } from 'supertest';
import { K8sAuthReadiness, type Principal } from '../../src/index.js';
import { ADAPTERS } from '../../test-support/inbound-app.js';
import { asAnonymous, asCaller, asRefused, createTestPrincipal, type TestK8sAuthOptions } from '../index.js';
import {
  closeTestApps,
  DecoratorsModule,
  GlobalGuardModule,
  startTestApp,
} from './test-application.fixture.js';

afterEach(closeTestApps);

const kinds = ADAPTERS.flatMap((adapter) =>
  [DecoratorsModule, GlobalGuardModule].map((module) => ({ adapter, module, name: module.name })),
);

describe.each(kinds)('testK8sAuth with $name on $adapter', ({ adapter, module }) => {
  const startHere = (options?: TestK8sAuthOptions) => startTestApp(adapter, module, options);
  const username = (response: Response) => (response.body as Principal).username;

  it('treats a request without credentials as a request of `as`', async () => {
    const { http } = await startHere({
      as: createTestPrincipal({ namespace: 'shop', serviceAccount: 'checkout' }),
    });
    const response = await http.get('/orders').expect(200);
    expect(response.body).toMatchObject({
      username: 'system:serviceaccount:shop:checkout',
      audiences: ['orders'],
      verifiedBy: 'test',
    });
    await http.get('/scoped').expect(200, 'system:serviceaccount:shop:checkout');
  });

  it('evaluates the rules of each route', async () => {
    const { http } = await startHere({ as: 'shop/checkout' });
    await http.post('/orders').expect(403).expect('WWW-Authenticate', 'Bearer error="insufficient_scope"');
    await http
      .post('/orders')
      .set(...asCaller('shop/admin'))
      .expect(201, 'admin');
    await http
      .post('/orders')
      .set(...asCaller('other/admin'))
      .expect(403);
    await http
      .get('/scoped')
      .set(...asCaller('other/admin'))
      .expect(403);
  });

  it('takes the caller of one request from its header', async () => {
    const { http } = await startHere({ as: 'shop/checkout' });
    const [own, header] = await Promise.all([
      http.get('/orders'),
      http.get('/orders').set(...asCaller('shop/stock')),
    ]);
    expect([own, header].map(username)).toEqual([
      'system:serviceaccount:shop:checkout',
      'system:serviceaccount:shop:stock',
    ]);
  });

  it('refuses requests without credentials if there is no `as`, and with asAnonymous', async () => {
    const without = await startHere();
    await without.http.get('/orders').expect(401).expect('WWW-Authenticate', 'Bearer');
    const { http } = await startHere({ as: 'shop/checkout' });
    await http
      .get('/orders')
      .set(...asAnonymous())
      .expect(401)
      .expect('WWW-Authenticate', 'Bearer');
    await http
      .get('/scoped')
      .set(...asAnonymous())
      .expect(401);
  });

  it('answers with the status that asRefused names', async () => {
    const { http } = await startHere({ as: 'shop/admin' });
    await http
      .post('/orders')
      .set(...asRefused(401))
      .expect(401)
      .expect('WWW-Authenticate', /error="invalid_token"/);
    await http
      .post('/orders')
      .set(...asRefused(403))
      .expect(403)
      .expect('WWW-Authenticate', /insufficient_scope/);
    await http
      .post('/orders')
      .set(...asRefused(503))
      .expect(503)
      .expect('Retry-After', '1');
  });

  it('refuses a token that is not a test token', async () => {
    const { http } = await startHere({ as: 'shop/admin' });
    await http.get('/orders').set('authorization', 'Bearer eyJhbGciOiJub25lIn0.e30.AAAA').expect(401);
    await http.get('/orders').set('authorization', 'Bearer test-token-1').expect(401);
  });

  it('leaves public routes open, without a caller', async () => {
    const { http } = await startHere({ as: 'shop/checkout' });
    await http.get('/orders/health').expect(200, 'nobody');
    await http
      .get('/orders/health')
      .set(...asCaller('shop/stock'))
      .expect(200, 'nobody');
  });

  it('closes undecorated routes only with a global guard', async () => {
    const { http } = await startHere({ as: 'shop/checkout' });
    await http.get('/open').expect(module === GlobalGuardModule ? 403 : 200);
  });

  it('is ready', async () => {
    const { app } = await startHere({ as: 'shop/checkout' });
    expect(app.get(K8sAuthReadiness).check()).toEqual({ status: 'ready' });
  });
});
