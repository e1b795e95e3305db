import { type IncomingMessage } from 'node:http';
import { type Type } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ConnectedClient,
  type ConnectionBench,
  type Outcome,
  type RunningConnectionBench,
  socketIoConnections,
  wsConnections,
} from '../../../test-support/transports/connections.bench.js';
import { TOKEN_LIFETIME_MS } from '../../../test-support/transports/transport-bench.js';
import { until } from '../../../test-support/until.js';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { findPrincipal, getPrincipal, K8sAuth } from '../k8s-auth.decorators.js';

const CHECKOUT = 'system:serviceaccount:shop:checkout';

const UNAUTHENTICATED = { statusCode: 401, code: 'UNAUTHENTICATED', message: 'Unauthorized' };
const FORBIDDEN = { statusCode: 403, code: 'FORBIDDEN', message: 'Forbidden' };
const UNAVAILABLE = {
  statusCode: 503,
  code: 'SERVICE_UNAVAILABLE',
  message: 'Service Unavailable',
  retryAfterSeconds: 3,
};

/** The server of either adapter. */
type AnyServer = { emit(event: string): void } & {
  readonly clients?: ReadonlySet<{ send(text: string): void }>;
};

function broadcast(server: AnyServer): void {
  if (server.clients) for (const client of server.clients) client.send('{"event":"news"}');
  else server.emit('news');
}

/** What the gateway of the current test has seen. */
let connected: (string | undefined)[] = [];
let visible: string[] = [];

/** A client of socket.io, or of the package ws. */
interface AnyClient {
  readonly handshake?: object;
  readonly request?: IncomingMessage;
}

@WebSocketGateway()
@K8sAuth('orders', allowServiceAccounts('shop/checkout'))
class Gateway {
  @WebSocketServer() server!: AnyServer;

  handleConnection(client: AnyClient, request?: IncomingMessage): void {
    connected.push(getPrincipal(client).username);
    const { rawHeaders, headers } = request ?? client.request ?? {};
    visible.push(JSON.stringify([client.handshake, rawHeaders, headers]));
  }

  @SubscribeMessage('ask') ask() {}
}

let bench: RunningConnectionBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  connected = [];
  visible = [];
});

const clientOf = (outcome: Outcome): ConnectedClient => {
  if (!('client' in outcome)) throw new Error(`refused: ${JSON.stringify(outcome)}`);
  return outcome.client;
};

const BENCHES: [string, ConnectionBench][] = [
  ['socket.io, auth', socketIoConnections('auth')],
  ['socket.io, header', socketIoConnections('header')],
  ['ws', wsConnections],
];

describe.each(BENCHES)('a connection to a protected gateway of %s', (_, { name, start: startGateways }) => {
  const start = async (gateways: Type[] = [Gateway], setup = {}) =>
    (bench = await startGateways(gateways, setup));

  it.each<[string, string | undefined, { statusCode: number }, string]>([
    ['without a token', undefined, UNAUTHENTICATED, 'TOKEN_MISSING'],
    ['with a token for another audience', 'checkout.billing', UNAUTHENTICATED, 'TOKEN_AUDIENCE'],
    [
      'with the token of a caller that a rule does not allow',
      'stock.orders',
      FORBIDDEN,
      'PRINCIPAL_FORBIDDEN',
    ],
    ['during an outage of the verifier', 'outage', UNAVAILABLE, 'VERIFIER_UNAVAILABLE'],
  ])('is refused %s', async (_reason, token, body, code) => {
    const { connect, log } = await start();
    const outcome = await connect(token);
    // socket.io has no status of its own for a namespace.
    const status = name === 'ws' && { status: body.statusCode };
    expect(outcome).toMatchObject({ refusal: { status: 'error', ...body }, ...status });
    expect(connected).toEqual([]);
    expect(log.events).toMatchObject([
      { message: 'request refused', code: `ERR_K8S_AUTH_${code}`, route: 'Gateway.handleConnection' },
    ]);
  });

  it('is refused with 503, and is told nothing else, if the decision fails', async () => {
    const { connect, log } = await start();
    log.warn = () => {
      throw new Error('disk is full');
    };
    const outcome = await connect();
    expect(outcome).toMatchObject({ refusal: { ...UNAVAILABLE, retryAfterSeconds: 1 } });
    expect(JSON.stringify(outcome)).not.toContain('disk');
  });

  it('is accepted with a token, and handleConnection knows the caller', async () => {
    const { connect, verifier } = await start();
    clientOf(await connect('checkout.orders'));
    await until(() => connected.length > 0);
    expect(connected).toEqual([CHECKOUT]);
    expect(visible).toEqual([expect.not.stringContaining('checkout')]);
    expect(verifier.asked).toEqual([{ token: 'checkout.orders', audiences: ['orders'] }]);
  });

  it('gets nothing of a broadcast if it is refused', async () => {
    const { app, connect } = await start();
    const accepted = clientOf(await connect('checkout.orders'));
    const refused = await connect('stock.orders');
    broadcast(app.get(Gateway).server);
    await until(() => accepted.received.includes('news'));
    expect(refused).toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    const { server } = app.get(Gateway);
    const sockets = server.clients ?? (await (server as unknown as SocketIoServer).fetchSockets());
    expect([...sockets]).toHaveLength(1);
  });

  it('is closed when the token expires, although the client has sent nothing', async () => {
    const { clock, connect } = await start();
    const client = clientOf(await connect('checkout.orders'));
    await until(() => connected.length > 0);
    await clock.advance(TOKEN_LIFETIME_MS);
    expect(await client.closed).toBeUndefined();
  });

  it('leaves no timer behind, whether it was refused or has ended', async () => {
    const { clock, connect } = await start();
    const before = clock.pendingTimers;
    await connect('outage');
    const afterRefusal = clock.pendingTimers;
    const client = clientOf(await connect('checkout.orders'));
    expect(clock.pendingTimers).toBe(afterRefusal + 1);
    client.close();
    await until(() => clock.pendingTimers === afterRefusal);
    // The refusal log counts for a minute.
    expect(afterRefusal).toBe(before + 1);
  });

  it('passes in shadow mode, is counted, and has no caller', async () => {
    @WebSocketGateway()
    @K8sAuth('orders')
    class Shadowed {
      handleConnection(client: object): void {
        connected.push(findPrincipal(client)?.username, (getPrincipal(client) as object | undefined) && '');
      }
    }
    const { connect, log } = await start([Shadowed], { enforce: false });
    clientOf(await connect());
    await until(() => connected.length > 0);
    expect(connected).toEqual([undefined, undefined]);
    expect(log.events).toMatchObject([
      { message: 'request would be refused, but passes', code: 'ERR_K8S_AUTH_TOKEN_MISSING' },
    ]);
    clientOf(await connect('checkout.orders'));
    await until(() => connected.length > 2);
    expect(connected.slice(2)).toEqual([CHECKOUT, '']);
  });
});

interface SocketIoServer {
  fetchSockets(): Promise<object[]>;
}
