import { type Type } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ConnectionBench,
  outcomeOf,
  type RunningConnectionBench,
  socketIoConnections,
  wsConnections,
} from '../../../test-support/transports/connections.bench.js';
import { startupMistakes, closeApps } from '../../../test-support/inbound-app.js';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { ConfigurationError } from '../../errors.js';
import { findPrincipal, getPrincipal, EnforceK8sAuth, K8sAuth, Public } from '../k8s-auth.decorators.js';

let bench: RunningConnectionBench | undefined;
afterEach(async () => {
  await bench?.close();
  await closeApps();
  bench = undefined;
});

@WebSocketGateway()
class OnlyPublic {
  @SubscribeMessage('open') @Public() open() {}
}

@WebSocketGateway()
@Public()
class PublicClass {
  @SubscribeMessage('guarded') @K8sAuth('orders') guarded() {}
}

@WebSocketGateway()
@K8sAuth('orders')
class PublicHook {
  @Public() handleConnection() {}
  @SubscribeMessage('guarded') guarded() {}
}

@WebSocketGateway()
class Undecorated {
  @SubscribeMessage('plain') plain() {}
}

@WebSocketGateway()
class WithoutHandlers {}

@WebSocketGateway()
class Mixed {
  @SubscribeMessage('open') @Public() open() {}
  @SubscribeMessage('orders') @K8sAuth('orders') orders() {}
  @SubscribeMessage('stock') @K8sAuth('stock', allowServiceAccounts('shop/admin')) stock() {}
}

@WebSocketGateway()
class Unenforced {
  @SubscribeMessage('orders') @K8sAuth('orders') orders() {}
  @SubscribeMessage('soft') @K8sAuth('orders') @EnforceK8sAuth(false) soft() {}
}

@WebSocketGateway()
class EnforcedHook {
  @EnforceK8sAuth(true) handleConnection() {}
  @SubscribeMessage('soft') @K8sAuth('orders') @EnforceK8sAuth(false) soft() {}
}

@WebSocketGateway()
@K8sAuth('orders')
class StricterHook {
  @K8sAuth('orders', allowServiceAccounts('shop/admin')) handleConnection() {}
  @SubscribeMessage('orders') orders() {}
}

@WebSocketGateway()
@K8sAuth(['orders', 'stock'])
class Orders {
  @SubscribeMessage('ask') ask() {}
}

const BENCHES: [string, ConnectionBench][] = [
  ['socket.io', socketIoConnections('auth')],
  ['ws', wsConnections],
];

describe.each(BENCHES)('a connection of %s', (_, { start: startGateways }) => {
  async function outcomes(gateways: Type[], tokens: (string | undefined)[], setup = {}): Promise<string[]> {
    await bench?.close();
    bench = await startGateways(gateways, setup);
    const found: string[] = [];
    for (const token of tokens) found.push(outcomeOf(await bench.connect(token)));
    return found;
  }

  it.each<[string, Type]>([
    ['has only public handlers', OnlyPublic],
    ['has @Public on its class', PublicClass],
    ['has @Public on handleConnection', PublicHook],
  ])('needs no token if the gateway %s', async (_reason, gateway) => {
    expect(await outcomes([gateway], [undefined])).toEqual(['accepted']);
    expect(bench?.verifier.asked).toEqual([]);
  });

  it.each<[string, Type]>([
    ['no decorator on a handler', Undecorated],
    ['no handlers', WithoutHandlers],
  ])(
    'is refused for every caller if the guard is global and the gateway has %s',
    async (_reason, gateway) => {
      expect(await outcomes([gateway], [undefined, 'checkout.orders'])).toEqual(['FORBIDDEN', 'FORBIDDEN']);
      expect(await outcomes([gateway], [undefined], { guardIsGlobal: false })).toEqual(['accepted']);
    },
  );

  it('is accepted if at least one protected handler accepts the caller', async () => {
    const tokens = [undefined, 'checkout.orders', 'checkout.stock', 'admin.stock', 'admin.billing'];
    expect(await outcomes([Mixed], tokens)).toEqual([
      'UNAUTHENTICATED',
      'accepted',
      'FORBIDDEN',
      'accepted',
      'UNAUTHENTICATED',
    ]);
  });

  it('has the rules of handleConnection, if it has a decorator', async () => {
    const tokens = ['checkout.orders', 'admin.orders'];
    expect(await outcomes([StricterHook], tokens)).toEqual(['FORBIDDEN', 'accepted']);
  });

  it('passes if one of its handlers is not enforced, because that handler passes every message', async () => {
    expect(await outcomes([Unenforced], [undefined])).toEqual(['accepted']);
    expect(bench?.log.events).toMatchObject([
      { message: 'request would be refused, but passes', route: 'Unenforced.handleConnection' },
    ]);
  });

  it('is refused if handleConnection is enforced, although one of its handlers is not', async () => {
    const outcome = await outcomes([EnforcedHook], [undefined, 'checkout.orders'], { enforce: false });
    expect(outcome).toEqual(['UNAUTHENTICATED', 'accepted']);
  });

  it('needs every gateway that shares it', async () => {
    const tokens = [undefined, 'checkout.stock', 'checkout.orders', 'admin.stock'];
    expect(await outcomes([OnlyPublic, Orders, Mixed], tokens)).toEqual([
      'UNAUTHENTICATED',
      'FORBIDDEN',
      'accepted',
      'accepted',
    ]);
    // The gateways require the same audiences, so the token is verified once for both.
    expect(bench?.verifier.asked).toEqual(
      ['checkout.stock', 'checkout.orders', 'admin.stock'].map((token) => ({
        token,
        audiences: ['orders', 'stock'],
      })),
    );
  });

  it('does not depend on gateways of another path', async () => {
    @WebSocketGateway({ path: '/open' })
    @Public()
    class Open {
      @SubscribeMessage('open') open() {}
    }
    bench = await startGateways([Orders, Open]);
    expect(outcomeOf(await bench.connect())).toBe('UNAUTHENTICATED');
  });
});

describe('startup', () => {
  const withWs = (providers: Type[], setup = {}) =>
    startupMistakes({
      controllers: [],
      providers,
      configure: (app) => void app.useWebSocketAdapter(new WsAdapter(app)),
      ...setup,
    });

  it('fails if a gateway without handlers has @K8sAuth, and the module no audience or no verifier', async () => {
    @WebSocketGateway()
    @K8sAuth()
    class News {}
    expect(await withWs([News])).toEqual([
      expect.stringMatching(/^News\.handleConnection: expected an audience/),
    ]);
    expect(await withWs([News], { audience: 'orders', noVerifier: true })).toEqual([
      expect.stringMatching(/^News\.handleConnection: expected option 'verifier'/),
    ]);
    expect(await withWs([News], { audience: 'orders' })).toEqual([]);
  });

  it('fails if handleConnection has @K8sAuth and @Public', async () => {
    @WebSocketGateway()
    class News {
      @K8sAuth('orders') @Public() handleConnection() {}
    }
    expect(await withWs([News])).toEqual(['News.handleConnection: expected @K8sAuth or @Public, not both']);
  });
});

describe('getPrincipal of a client', () => {
  it('throws for a client whose connection was not verified, and findPrincipal returns undefined', () => {
    expect(findPrincipal({})).toBeUndefined();
    expect(() => getPrincipal({})).toThrow(ConfigurationError);
  });
});
