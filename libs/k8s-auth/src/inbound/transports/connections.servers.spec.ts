import { Global, Module } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { type AppSetup } from '../../../test-support/inbound-app.js';
import {
  connectWs,
  type Outcome,
  outcomeOf,
  type RunningConnectionBench,
  socketIoConnections,
  wsConnections,
} from '../../../test-support/transports/connections.bench.js';
import { freePort } from '../../../test-support/free-port.js';
import { Caller, getPrincipal, K8sAuth, Public } from '../k8s-auth.decorators.js';

let bench: RunningConnectionBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

@WebSocketGateway()
@K8sAuth('orders')
class Orders {
  @SubscribeMessage('ask') ask() {}
}

describe('namespaces of socket.io', () => {
  @WebSocketGateway({ namespace: 'open' })
  @Public()
  class Open {
    @SubscribeMessage('open') open() {}
  }
  @WebSocketGateway({ namespace: '/orders' })
  @K8sAuth('orders')
  class OrdersNamespace {
    @SubscribeMessage('orders') orders() {}
  }
  @WebSocketGateway({ namespace: /^\/tenant-\d+$/ })
  @K8sAuth('orders')
  class Tenants {
    @SubscribeMessage('orders') orders() {}
  }
  const gateways = [Open, OrdersNamespace, Tenants];

  it.each([
    ['/open', 'accepted'],
    ['/orders', 'UNAUTHENTICATED'],
    ['/tenant-1', 'UNAUTHENTICATED'],
  ])('are decided by their own gateways: %s', async (path, outcome) => {
    bench = await socketIoConnections('auth').start(gateways);
    expect(outcomeOf(await bench.connect(undefined, path))).toBe(outcome);
    expect(outcomeOf(await bench.connect('checkout.orders', path))).toBe('accepted');
  });

  it('find the header of a connection that they share, although it was removed', async () => {
    bench = await socketIoConnections('header').start(gateways);
    const first = io(`${bench.url}/orders`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: { authorization: 'Bearer checkout.orders' },
    });
    await new Promise<void>((resolve) => first.once('connect', resolve));
    const second = first.io.socket('/tenant-7');
    const outcome = new Promise<string>((resolve) => {
      second.once('connect', () => resolve('accepted'));
      second.once('connect_error', ({ message }) => resolve(message));
    });
    expect(await outcome).toBe('accepted');
    second.disconnect();
    first.disconnect();
  });

  it('find the removed header for messages too, if everybody may connect', async () => {
    @WebSocketGateway({ namespace: 'mixed' })
    class Mixed {
      @Public() handleConnection() {}
      @SubscribeMessage('whoami') @K8sAuth('orders') whoami(@Caller('serviceAccount') name: string) {
        return name;
      }
    }
    bench = await socketIoConnections('header').start([Mixed, OrdersNamespace]);
    const mixed = io(`${bench.url}/mixed`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: { authorization: 'Bearer checkout.orders' },
    });
    await new Promise<void>((resolve) => mixed.once('connect', resolve));
    const orders = mixed.io.socket('/orders');
    await new Promise<void>((resolve) => orders.once('connect', resolve));
    const answer = new Promise((resolve) => {
      mixed.once('exception', resolve);
      mixed.emit('whoami', {}, resolve);
    });
    expect(await answer).toBe('checkout');
    mixed.io.engine.close();
  });
});

describe('a server that cannot refuse a client before it is connected', () => {
  /** An adapter that creates its server without the options of the gateway. */
  class OwnAdapter extends WsAdapter {
    override create(port: number): ReturnType<WsAdapter['create']> {
      return super.create(port, {});
    }
  }
  const configure: AppSetup['configure'] = (app) => app.useWebSocketAdapter(new OwnAdapter(app));

  it('closes the connection of a refused client before handleConnection', async () => {
    const seen: string[] = [];
    @WebSocketGateway()
    @K8sAuth('orders')
    class Gateway {
      handleConnection(client: object) {
        seen.push(getPrincipal(client).serviceAccount);
      }
      @SubscribeMessage('orders') orders() {}
    }
    bench = await wsConnections.start([Gateway], { configure });
    const refused = await bench.connect('checkout.billing');
    if (!('client' in refused)) throw new Error('expected a connection that is closed');
    await refused.client.closed;
    expect(seen).toEqual([]);
    const accepted = await bench.connect('checkout.orders');
    expect(outcomeOf(accepted)).toBe('accepted');
  });
});

describe('an adapter that two applications share', () => {
  it('refuses the clients of each of them', async () => {
    @WebSocketGateway({ path: '/first' })
    @Public()
    class First {}
    @WebSocketGateway({ path: '/second' })
    @K8sAuth('orders')
    class Second {}
    let adapter: WsAdapter | undefined;
    const configure: AppSetup['configure'] = (app) => {
      adapter ??= new WsAdapter();
      app.useWebSocketAdapter(adapter);
    };
    const ports = [await freePort(), await freePort()] as const;
    for (const [index, gateway] of [First, Second].entries())
      Reflect.defineMetadata('port', ports[index], gateway);
    const first = await wsConnections.start([First], { configure });
    bench = await wsConnections.start([Second], { configure });
    const outcomes = [
      await connectWs(`http://127.0.0.1:${ports[0]}/first`),
      await connectWs(`http://127.0.0.1:${ports[1]}/second`),
      await connectWs(`http://127.0.0.1:${ports[1]}/second`, 'checkout.orders'),
    ];
    expect(outcomes.map(outcomeOf)).toEqual(['accepted', 'UNAUTHENTICATED', 'accepted']);
    for (const outcome of outcomes) if ('client' in outcome) outcome.client.close();
    await first.close();
  });
});

it('a server keeps its gateways if the port of a gateway is changed for the next application', async () => {
  const ports = [await freePort(), await freePort()] as const;
  @WebSocketGateway({ path: '/orders' })
  @K8sAuth('orders')
  class Gateway {}
  Reflect.defineMetadata('port', ports[0], Gateway);
  bench = await wsConnections.start([Gateway]);
  Reflect.defineMetadata('port', ports[1], Gateway);
  expect(outcomeOf(await connectWs(`http://127.0.0.1:${ports[0]}/orders`))).toBe('UNAUTHENTICATED');
});

describe('the upgrade request of the package ws', () => {
  it('is also decided by verifyClient of the gateway, for accepted callers only', async () => {
    const asked: string[] = [];
    @WebSocketGateway({
      verifyClient: ({ req }: { req: { url: string } }) => {
        asked.push(req.url);
        return !req.url.includes('blocked');
      },
      path: '/',
    })
    @K8sAuth('orders')
    class Gateway {
      @SubscribeMessage('orders') orders() {}
    }
    bench = await wsConnections.start([Gateway]);
    expect(outcomeOf(await bench.connect(undefined, '/?first'))).toBe('UNAUTHENTICATED');
    expect(outcomeOf(await bench.connect('checkout.orders', '/?second'))).toBe('accepted');
    await expect(bench.connect('checkout.orders', '/?blocked')).rejects.toThrow('expected a body in JSON');
    expect(asked).toEqual(['/?second', '/?blocked']);
  });

  it('is refused if verifyClient of the gateway is not a function, as the package itself does', async () => {
    @WebSocketGateway({ verifyClient: 'yes' } as object)
    @K8sAuth('orders')
    class Gateway {}
    bench = await wsConnections.start([Gateway]);
    await expect(bench.connect('checkout.orders')).rejects.toThrow('expected a body in JSON');
  });

  it('gets a challenge, or the time of the next attempt', async () => {
    bench = await wsConnections.start([Orders]);
    expect(await bench.connect()).toMatchObject({ headers: { 'www-authenticate': 'Bearer' } });
    expect(await bench.connect('outage')).toMatchObject({ status: 503, headers: { 'retry-after': '3' } });
  });

  it('is refused with 503 before startup is complete', async () => {
    const port = await freePort();
    @WebSocketGateway(port)
    @K8sAuth('orders')
    class Early {
      @SubscribeMessage('orders') orders() {}
    }
    let early: Outcome | undefined;
    // Global, so that its hook runs before the one of K8sAuthModule.
    @Global()
    @Module({})
    class ConnectsDuringStartup {
      async onModuleInit() {
        early = await connectWs(`http://127.0.0.1:${port}`, 'checkout.orders');
      }
    }
    bench = await wsConnections.start([Early], { imports: [ConnectsDuringStartup] });
    expect(early).toMatchObject({ status: 503, refusal: { code: 'SERVICE_UNAVAILABLE' } });
    const later = await connectWs(`http://127.0.0.1:${port}`, 'checkout.orders');
    expect(outcomeOf(later)).toBe('accepted');
    if ('client' in later) later.client.close();
  });
});
