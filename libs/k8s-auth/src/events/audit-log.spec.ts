import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../test-support/captured-log.js';
import { ADAPTERS, closeApps, send, shapedToken, startApp } from '../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../test-support/scripted-verifier.js';
import { allowServiceAccounts } from '../authorization/rules.js';
import { InvalidTokenError } from '../errors.js';
import { createPrincipal } from '../identity/principal.js';
import { K8sAuth } from '../inbound/k8s-auth.decorators.js';
import { AuditLog } from './audit-log.js';
import { K8sAuthEvents } from './k8s-auth.events.js';

@Controller('orders')
class OrdersController {
  @Get(':id') @K8sAuth('orders') find() {}
  @Get(':id/lines') @K8sAuth('orders', allowServiceAccounts('shop/admin')) lines() {}
}

const rejected = shapedToken({ sub: 'system:serviceaccount:shop:cart', jti: '41b9-7' });
const forging = shapedToken({ sub: 'x\nrequest audited', jti: 'a b' });

const ofPod = createPrincipal({
  namespace: 'shop',
  serviceAccount: 'checkout',
  serviceAccountUid: 'u-1',
  pod: { name: 'checkout-7d4', uid: 'p-1' },
  node: { name: 'worker-1', uid: 'n-1' },
  audiences: ['orders'],
  issuer: 'https://issuer.test',
  verifiedBy: 'scripted',
});

const verifier = new ScriptedVerifier((token) => {
  if (token === 'good') return verdictFor('shop/checkout');
  if (token === 'of-pod') return { principal: ofPod, validUntilMs: Infinity };
  throw new InvalidTokenError('EXPIRED', '"exp" has passed');
});

afterEach(closeApps);

describe.each(ADAPTERS)('the audit log on %s', (adapter) => {
  async function linesAfter(requests: readonly (readonly [path: string, header: string | string[]])[]) {
    const { url, app } = await startApp(adapter, { controllers: [OrdersController], verifier });
    const log = new CapturedLog();
    app.get(K8sAuthEvents).subscribe(new AuditLog(log));
    for (const [path, header] of requests) await send(url + path, header);
    return log.infos;
  }

  it('has a line for each accepted and each refused request, with the ID of the token', async () => {
    const lines = await linesAfter([
      ['/orders/1', 'Bearer good'],
      ['/orders/1/lines', 'Bearer good'],
      ['/orders/1', `Bearer ${rejected}`],
      ['/orders/1', []],
    ]);
    const message = 'request audited';
    const checkout = { sub: 'system:serviceaccount:shop:checkout', credentialId: 'JTI=41b9' };
    const route = 'GET /orders/:id';
    expect(lines).toEqual([
      {
        ...{ message, outcome: 'accepted', route, ...checkout, verified: true },
        uid: '6f1c2d1e-0000-4000-8000-000000000001',
      },
      {
        ...{ message, outcome: 'forbidden', code: 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN' },
        ...{ route: `${route}/lines`, ...checkout, verified: true },
      },
      {
        ...{ message, outcome: 'rejected', code: 'ERR_K8S_AUTH_TOKEN_EXPIRED', route },
        ...{ sub: 'system:serviceaccount:shop:cart', credentialId: 'JTI=41b9-7', verified: false },
      },
      { message, outcome: 'missing', code: 'ERR_K8S_AUTH_TOKEN_MISSING', route, verified: false },
    ]);
  });

  it('names the pod and the node of a token that names them', async () => {
    const [line] = await linesAfter([['/orders/1', 'Bearer of-pod']]);
    expect(line).toMatchObject({ pod: 'checkout-7d4', podUid: 'p-1', node: 'worker-1' });
  });

  it('has a line for each of many refusals, and no names that could forge a line', async () => {
    const lines = await linesAfter(Array(50).fill(['/orders/1', `Bearer ${forging}`]));
    expect(lines).toHaveLength(50);
    expect(lines.filter((line) => 'sub' in line || 'credentialId' in line)).toEqual([]);
  });
});
