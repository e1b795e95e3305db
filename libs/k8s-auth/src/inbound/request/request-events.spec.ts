import { inspect } from 'node:util';
import { Controller, Get, Param } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ADAPTERS, closeApps, send, shapedToken, startApp } from '../../../test-support/inbound-app.js';
import { principalNamed, ScriptedVerifier, verdictFor } from '../../../test-support/scripted-verifier.js';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import { type RejectedEvent, type VerifiedEvent } from '../../events/event-types.js';
import { K8sAuthEvents } from '../../events/k8s-auth.events.js';
import { K8sAuth } from '../k8s-auth.decorators.js';

@Controller('orders')
@K8sAuth('orders')
class OrdersController {
  @Get(':id') find(@Param('id') id: string) {
    return id;
  }
  @Get(':id/lines') @K8sAuth('orders', allowServiceAccounts('shop/admin')) lines() {}
}

const expired = shapedToken({ sub: 'system:serviceaccount:shop:cart', jti: '41b9-7' });

const verifier = new ScriptedVerifier((token) => {
  if (token === 'good') return verdictFor('shop/checkout');
  if (token === 'away') throw new VerifierUnavailableError('API server is unreachable');
  if (token === 'strange') throw new Error(`cannot read ${token}`);
  throw new InvalidTokenError('EXPIRED', '"exp" has passed');
});

afterEach(closeApps);

describe.each(ADAPTERS)('the events of requests on %s', (adapter) => {
  async function setUp() {
    const { url, app } = await startApp(adapter, { controllers: [OrdersController], verifier });
    const verified: VerifiedEvent[] = [];
    const rejected: RejectedEvent[] = [];
    const events = app.get(K8sAuthEvents);
    events.subscribe({
      onVerified: (event) => void verified.push(event),
      onRejected: (event) => void rejected.push(event),
    });
    return { url, events, verified, rejected };
  }

  it('name the route and the principal of an accepted request', async () => {
    const { url, verified, rejected } = await setUp();
    expect((await send(`${url}/orders/7`, 'Bearer good')).status).toBe(200);
    expect(verified.map(({ route, principal }) => [route, principal])).toEqual([
      ['GET /orders/:id', principalNamed('shop/checkout')],
    ]);
    expect(JSON.parse(JSON.stringify(verified))).toMatchObject([
      { route: 'GET /orders/:id', principal: { credentialId: 'JTI=41b9' } },
    ]);
    expect(rejected).toEqual([]);
  });

  it.each([
    ['missing', 'ERR_K8S_AUTH_TOKEN_MISSING', [], 401],
    ['malformed', 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED', ['Bearer a b'], 400],
    ['rejected', 'ERR_K8S_AUTH_TOKEN_EXPIRED', [`Bearer ${expired}`], 401],
    ['forbidden', 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN', ['Bearer good'], 403],
    ['unavailable', 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE', ['Bearer away'], 503],
    ['unavailable', 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE', ['Bearer strange'], 503],
  ])('name the outcome %s and the code %s of a refused request', async (outcome, code, header, status) => {
    const { url, verified, rejected } = await setUp();
    expect((await send(`${url}/orders/7/lines`, header)).status).toBe(status);
    expect(rejected).toMatchObject([{ route: 'GET /orders/:id/lines', outcome, code, error: { code } }]);
    expect(verified).toEqual([]);
  });

  it('say whether the caller of a refused request is verified', async () => {
    const { url, rejected } = await setUp();
    await send(`${url}/orders/7/lines`, 'Bearer good');
    await send(`${url}/orders/7/lines`, `Bearer ${expired}`);
    await send(`${url}/orders/7/lines`);
    const sub = 'system:serviceaccount:shop:cart';
    expect(rejected.map(({ caller }) => caller)).toEqual([
      { sub: 'system:serviceaccount:shop:checkout', credentialId: 'JTI=41b9', verified: true },
      { sub, credentialId: 'JTI=41b9-7', verified: false },
      { verified: false },
    ]);
  });

  it('contain no token text', async () => {
    const { url, rejected } = await setUp();
    await send(`${url}/orders/7`, `Bearer ${expired}`);
    const [event] = rejected;
    for (const part of expired.split('.')) {
      expect(inspect(event, { depth: null, showHidden: true })).not.toContain(part);
      expect(JSON.stringify(event)).not.toContain(part);
    }
  });

  it('leave the answers as they are when every listener throws', async () => {
    const { url, events } = await setUp();
    const fail = () => {
      throw new Error('listener is broken');
    };
    events.subscribe({ onVerified: fail, onRejected: fail });
    expect((await send(`${url}/orders/7`, 'Bearer good')).status).toBe(200);
    expect((await send(`${url}/orders/7`, 'Bearer away')).status).toBe(503);
    expect((await send(`${url}/orders/7`)).status).toBe(401);
  });
});
