import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import {
  type RunningConnectionBench,
  socketIoConnections,
} from '../../../test-support/transports/connections.bench.js';
import { TOKEN_LIFETIME_MS } from '../../../test-support/transports/transport-bench.js';
import { until } from '../../../test-support/until.js';
import { getPrincipal, K8sAuth } from '../k8s-auth.decorators.js';

let connected: string[] = [];

interface Server {
  emit(event: string): void;
  fetchSockets(): Promise<object[]>;
}

const isServerAlone = async (server: Server) => (await server.fetchSockets()).length === 0;

/** By itself, socket.io runs no middleware for a client whose state it recovers. */
@WebSocketGateway({ connectionStateRecovery: {} })
@K8sAuth('orders')
class Gateway {
  @WebSocketServer() server!: Server;

  handleConnection(client: object): void {
    connected.push(getPrincipal(client).serviceAccount);
  }
}

let bench: RunningConnectionBench | undefined;
let socket: Socket | undefined;
afterEach(async () => {
  socket?.disconnect();
  await bench?.close();
  connected = [];
});

describe('a client whose state socket.io recovers', () => {
  async function connectAgain(advanceMs: number): Promise<Socket> {
    bench = await socketIoConnections('auth').start([Gateway]);
    const { clock, app, url } = bench;
    const client = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token: 'checkout.orders' },
    });
    socket = client;
    await new Promise<void>((resolve) => client.once('connect', resolve));
    // Recovery needs an event with an offset.
    const news = new Promise<void>((resolve) => client.once('news', resolve));
    await until(() => connected.length === 1);
    app.get(Gateway).server.emit('news');
    await news;
    client.io.engine.close();
    // The server keeps the session when it has noticed the disconnection.
    await until(() => isServerAlone(app.get(Gateway).server));
    await clock.advance(advanceMs);
    return client.connect();
  }

  it('is verified before handleConnection, and accepted', async () => {
    const client = await connectAgain(0);
    await until(() => connected.length === 2);
    expect(connected).toEqual(['checkout', 'checkout']);
    await until(() => client.connected);
    expect(client.recovered).toBe(true);
  });

  it('is not connected if its token has expired, so that its state is not kept again', async () => {
    const client = await connectAgain(TOKEN_LIFETIME_MS);
    const outcome = new Promise<unknown>((resolve) => {
      client.once('connect', () => resolve('connected'));
      client.once('connect_error', (error: Error & { data?: unknown }) => resolve(error.data));
    });
    expect(await outcome).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(connected).toEqual(['checkout']);
  });
});
