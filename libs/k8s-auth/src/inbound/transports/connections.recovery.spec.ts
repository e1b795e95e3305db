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

/** By default, socket.io runs no middleware for a client that it connects again. */
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

describe('a client that socket.io connects again without its middleware', () => {
  async function connectAgain(advanceMs: number): Promise<{ isRecovered: boolean; closed: Promise<string> }> {
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
    const closed = new Promise<string>((resolve) => client.once('disconnect', resolve));
    const again = new Promise<void>((resolve) => client.once('connect', resolve));
    client.connect();
    await again;
    return { isRecovered: client.recovered, closed };
  }

  it('is verified before handleConnection, and accepted', async () => {
    expect(await connectAgain(0)).toMatchObject({ isRecovered: true });
    await until(() => connected.length === 2);
    expect(connected).toEqual(['checkout', 'checkout']);
  });

  it('is disconnected if its token has expired', async () => {
    const { isRecovered, closed } = await connectAgain(TOKEN_LIFETIME_MS);
    expect(isRecovered).toBe(true);
    expect(await closed).toBe('io server disconnect');
    expect(connected).toEqual(['checkout']);
  });
});
