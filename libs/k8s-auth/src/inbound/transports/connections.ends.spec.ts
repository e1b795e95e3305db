import { type Server as HttpServer } from 'node:http';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import {
  type RunningConnectionBench,
  socketIoConnections,
  wsConnections,
} from '../../../test-support/transports/connections.bench.js';
import { until } from '../../../test-support/until.js';
import { nextTurn } from '../../util/timers.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

interface SocketIoServer {
  fetchSockets(): Promise<{ conn: { listenerCount(event: 'close'): number } }[]>;
}

let connected = 0;

@WebSocketGateway()
@K8sAuth('orders')
class Orders {
  handleConnection(): void {
    connected++;
  }
  @SubscribeMessage('ask') ask() {}
}

@WebSocketGateway({ namespace: 'open' })
@Public()
class Open {
  @WebSocketServer() server!: SocketIoServer;
}

@WebSocketGateway({ namespace: 'orders' })
@K8sAuth('orders')
class OrdersNamespace {}

let bench: RunningConnectionBench | undefined;
let socket: Socket | undefined;
afterEach(async () => {
  socket?.disconnect();
  await bench?.close();
  connected = 0;
});

/** @returns how many connections the HTTP server has */
const countConnections = ({ app }: RunningConnectionBench) =>
  new Promise<number>((resolve, reject) =>
    (app.getHttpServer() as HttpServer).getConnections((error, count) =>
      error ? reject(error) : resolve(count),
    ),
  );

/** The server of the transport learns later than the HTTP server that a connection has ended. */
async function severalTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await nextTurn();
}

describe('a client that disconnects while its token is verified', () => {
  async function releaseAfterEnd(running: RunningConnectionBench, end: () => void): Promise<void> {
    await until(() => running.verifier.asked.length === 1);
    end();
    await until(async () => (await countConnections(running)) === 0);
    await severalTurns();
    running.release();
    await severalTurns();
  }

  function connectSlowly({ url }: RunningConnectionBench): WebSocket {
    const client = new WebSocket(url.replace('http', 'ws'), {
      headers: { Authorization: 'Bearer slow.orders' },
    });
    return client.on('error', () => undefined);
  }

  it('leaves no timer behind', async () => {
    const running = (bench = await socketIoConnections('auth').start([Orders]));
    const before = running.clock.pendingTimers;
    const client = io(running.url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token: 'slow.orders' },
    });
    await releaseAfterEnd(running, () => client.disconnect());
    expect(running.clock.pendingTimers).toBe(before);
    expect(connected).toBe(0);
  });

  it('does not reach handleConnection through an adapter that connects clients before the decision', async () => {
    class OwnAdapter extends WsAdapter {
      override create(port: number): ReturnType<WsAdapter['create']> {
        return super.create(port, {});
      }
    }
    const running = (bench = await wsConnections.start([Orders], {
      configure: (app) => app.useWebSocketAdapter(new OwnAdapter(app)),
    }));
    const client = connectSlowly(running);
    await releaseAfterEnd(running, () => client.terminate());
    expect(connected).toBe(0);
  });
});

it('a client that is refused again and again on one connection of socket.io leaves no listener on it', async () => {
  bench = await socketIoConnections('auth').start([Open, OrdersNamespace]);
  const first = (socket = io(`${bench.url}/open`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  }));
  await new Promise<void>((resolve) => first.once('connect', resolve));
  const { server } = bench.app.get(Open);
  const countListeners = async () => (await server.fetchSockets())[0]?.conn.listenerCount('close');
  const before = await countListeners();
  expect(before).toBeGreaterThan(0);
  const refused = first.io.socket('/orders');
  for (let attempt = 0; attempt < 5; attempt++) {
    const answer = new Promise<void>((resolve) => refused.once('connect_error', () => resolve()));
    refused.connect();
    await answer;
  }
  expect(await countListeners()).toBe(before);
});
