import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { inboundModule, newAdapter, send } from '../test-support/inbound-app.js';
import { K8sAuth } from './inbound/k8s-auth.decorators.js';
import { type K8sAuthOptions } from './config/options.js';

@Controller('orders')
class OrdersController {
  @Get() @K8sAuth('orders') list() {}
}

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

/** What an application with these options has logged after an accepted request and one without a token. */
async function loggedWith(options: Pick<K8sAuthOptions, 'events' | 'auditLog'>): Promise<unknown[]> {
  const logged: unknown[] = [];
  const ignore = () => undefined;
  const testing = await inboundModule({ controllers: [OrdersController], ...options })
    .setLogger({ log: (event: unknown) => void logged.push(event), warn: ignore, error: ignore })
    .compile();
  const app = testing.createNestApplication(newAdapter('express'));
  close = () => app.close();
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/orders`;
  await send(url, 'Bearer abc');
  await send(url);
  return logged;
}

const audited = expect.objectContaining({ message: 'request audited' }) as unknown;

describe('the options of the module', () => {
  it("'events' adds listeners for accepted and refused requests", async () => {
    const heard: string[] = [];
    const logged = await loggedWith({
      events: {
        onVerified: ({ route, principal }) => void heard.push(`${route} ${principal.username}`),
        onRejected: ({ route, code }) => void heard.push(`${route} ${code}`),
      },
    });
    expect(heard).toEqual([
      'GET /orders system:serviceaccount:shop:checkout',
      'GET /orders ERR_K8S_AUTH_TOKEN_MISSING',
    ]);
    expect(logged).not.toContainEqual(audited);
  });

  it("'auditLog' logs a line for each of them", async () => {
    const logged = await loggedWith({ auditLog: true });
    expect(logged.filter((event) => (event as { message?: string }).message === 'request audited')).toEqual([
      expect.objectContaining({ outcome: 'accepted', route: 'GET /orders' }),
      expect.objectContaining({ outcome: 'missing', route: 'GET /orders' }),
    ]);
  });
});
