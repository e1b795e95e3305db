import { type ArgumentsHost, Catch, type ExceptionFilter, UseFilters, UseInterceptors } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  BaseWsExceptionFilter,
  ConnectedSocket,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { allowServiceAccounts } from '../../src/authorization/rules.js';
import { Caller, K8sAuth, Public } from '../../src/inbound/k8s-auth.decorators.js';
import { PrincipalInterceptor } from './principal.interceptor.js';
import { startBench } from './start-bench.js';
import { type Answer, type BenchConnection, type TransportBench } from './transport-bench.js';

/** The handlers of both benches. With the WsAdapter, an answer is an event with data. */
@WebSocketGateway()
@UseInterceptors(PrincipalInterceptor)
class Gateway {
  // The messages are tested here, and connections.contract.ts tests the connections.
  @Public() handleConnection() {}
  @SubscribeMessage('whoami') @K8sAuth('orders') whoami(@Caller('username') username: string) {
    return username;
  }
  @SubscribeMessage('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
    return 'admin';
  }
  @SubscribeMessage('open') @Public() open(@Caller('username') username?: string) {
    return username ?? 'nobody';
  }
  @SubscribeMessage('plain') plain() {
    return 'plain';
  }
  @SubscribeMessage('leak') @K8sAuth('orders') leak(@ConnectedSocket() client: SocketIoClient) {
    const { handshake, request } = client;
    return JSON.stringify([handshake, request?.headers, request?.rawHeaders, request?.headersDistinct]);
  }
}

interface SocketIoClient {
  readonly handshake?: object;
  readonly request?: { headers: object; rawHeaders: string[]; headersDistinct: object };
}

/** Nest 11 sends no exception to clients of the WsAdapter, so that an application needs such a filter. */
@Catch(WsException)
class ExceptionSender implements ExceptionFilter {
  catch(exception: WsException, host: ArgumentsHost) {
    const client = host.switchToWs().getClient<WebSocket>();
    client.send(JSON.stringify({ event: 'exception', data: exception.getError() }));
  }
}
const filters = 'emitMessage' in BaseWsExceptionFilter.prototype ? [] : [ExceptionSender];

/** The WsAdapter sends what a handler returns, which must name its event. */
@WebSocketGateway()
@UseInterceptors(PrincipalInterceptor)
@UseFilters(...filters)
class WsGateway {
  @SubscribeMessage('whoami') @K8sAuth('orders') whoami(@Caller('username') username: string) {
    return username;
  }
  @SubscribeMessage('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
    return 'admin';
  }
  @SubscribeMessage('open') @Public() open(@Caller('username') username?: string) {
    return username ?? 'nobody';
  }
  @SubscribeMessage('plain') plain() {
    return 'plain';
  }
  @SubscribeMessage('leak') @K8sAuth('orders') leak() {
    const { headers, rawHeaders, headersDistinct } = this.request ?? {};
    return JSON.stringify([headers, rawHeaders, headersDistinct]);
  }

  private request?: SocketIoClient['request'];
  @Public() handleConnection(_client: unknown, request: SocketIoClient['request']) {
    this.request = request;
  }
}

function socketIoConnection(socket: Socket): BenchConnection {
  return {
    call: (handler) =>
      new Promise<Answer>((resolve) => {
        socket.once('exception', (body: Refused) => resolve(toRefusal(body)));
        socket.emit(handler, {}, (data: string) => resolve({ data }));
      }),
    closed: new Promise((resolve) => socket.once('disconnect', () => resolve())),
    close: () => void socket.disconnect(),
  };
}

interface Refused {
  readonly code: string;
  readonly retryAfterSeconds?: number;
}

const toRefusal = (body: Refused): Answer => ({
  code: body.code,
  body,
  retryAfterSeconds: body.retryAfterSeconds,
});

/** @param place where the client puts its credentials */
export function socketIoBench(place: 'auth' | 'header'): TransportBench {
  return {
    name: `socket.io, ${place}`,
    sendsOneCredential: true,
    async start(setup = {}) {
      const bench = await startBench(setup, { providers: [Gateway] });
      const connect = async (...[credentials]: string[]) => {
        const inAuth = place === 'auth' && { auth: { token: credentials?.replace(/^Bearer /, '') } };
        const inHeader = place === 'header' && { extraHeaders: { authorization: credentials ?? '' } };
        const socket = io(bench.url, {
          transports: ['websocket'],
          reconnection: false,
          ...(credentials !== undefined && { ...inAuth, ...inHeader }),
        });
        await new Promise<void>((resolve, reject) => {
          socket.once('connect', resolve);
          socket.once('connect_error', reject);
        });
        return socketIoConnection(socket);
      };
      return { ...bench, connect, call: callOnce(connect) };
    },
  };
}

function callOnce(connect: (...credentials: string[]) => Promise<BenchConnection>) {
  return async (handler: Parameters<BenchConnection['call']>[0], ...credentials: string[]) => {
    const connection = await connect(...credentials);
    const answer = await connection.call(handler);
    connection.close();
    return answer;
  };
}

function wsConnection(socket: WebSocket): BenchConnection {
  return {
    call: (handler) =>
      new Promise<Answer>((resolve) => {
        socket.once('message', (message: Buffer) => {
          const content = JSON.parse(message.toString()) as string | { event: string; data: Refused };
          resolve(typeof content === 'string' ? { data: content } : toRefusal(content.data));
        });
        socket.send(JSON.stringify({ event: handler, data: {} }));
      }),
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    close: () => socket.close(),
  };
}

export const wsBench: TransportBench = {
  name: 'ws',
  async start(setup = {}) {
    const bench = await startBench(setup, {
      providers: [WsGateway],
      configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)),
    });
    const connect = async (...credentials: string[]) => {
      const socket = new WebSocket(bench.url.replace('http', 'ws'), {
        headers: credentials.length > 0 ? { Authorization: credentials as unknown as string } : {},
      });
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      return wsConnection(socket);
    };
    return { ...bench, connect, call: callOnce(connect) };
  },
};
