import { Controller, Get, type INestApplication, Injectable, Module, type Type } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { send } from '../../../test-support/inbound-app.js';
import { K8sAuthModule } from '../../k8s-auth.module.js';
import { K8sAuthHttpModule } from '../../outbound/axios/k8s-auth-http.module.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';

@Injectable()
class Service {}

@Controller('orders')
@K8sAuth('orders')
class Orders {
  constructor(readonly service: Service) {}
  @Get() list() {}
  @Get('open') @Public() open() {
    return 'in';
  }
}

let app: INestApplication | undefined;
afterEach(() => app?.close());

/** Wraps every instance that Nest creates in a Proxy, as tracing tools do. */
const instanceDecorator = (instance: unknown) =>
  typeof instance === 'object' && instance !== null ? new Proxy(instance, {}) : instance;

async function start(root: Type): Promise<string> {
  app = await NestFactory.create(root, {
    logger: false,
    abortOnError: false,
    instrument: { instanceDecorator },
  });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

describe('an application whose instances are all wrapped in Proxies', () => {
  it.each([true, false])('guards its routes (guard global: %s)', async (guardIsGlobal) => {
    @Module({
      imports: [
        // No server listens there, so the verifier is unavailable.
        K8sAuthModule.forRoot({ verifier: { kind: 'oidc-discovery', issuer: 'https://127.0.0.1:1' } }),
      ],
      controllers: [Orders],
      providers: [Service, ...(guardIsGlobal ? [{ provide: APP_GUARD, useExisting: K8sAuthGuard }] : [])],
    })
    class Root {}
    const url = await start(Root);
    expect((await send(`${url}/orders`)).status).toBe(401);
    expect((await send(`${url}/orders/open`)).body).toBe('in');
  });

  it('starts if it only calls others', async () => {
    @Module({
      imports: [
        K8sAuthModule.forRoot({ destinations: [{ origin: 'http://a.test', tokenFile: '/nonexistent' }] }),
        K8sAuthHttpModule.register(),
      ],
    })
    class Root {}
    await expect(start(Root)).resolves.toMatch(/^http/);
  });
});
