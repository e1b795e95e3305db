import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startBench } from '../../../test-support/transports/start-bench.js';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { Caller, EnforceK8sAuth, K8sAuth, Public } from '../k8s-auth.decorators.js';

@WebSocketGateway()
class Gateway {
  @Public() handleConnection() {}

  @SubscribeMessage('enforced')
  @K8sAuth('orders')
  enforced(@Caller('username') username: string): string {
    return username;
  }

  @SubscribeMessage('soft')
  @K8sAuth('orders')
  @EnforceK8sAuth(false)
  soft(@Caller('username') username?: string): string {
    return username ?? 'nobody';
  }

  @SubscribeMessage('admin')
  @K8sAuth('orders', allowServiceAccounts('shop/admin'))
  @EnforceK8sAuth(false)
  admin(@Caller('username') username?: string): string {
    return username ?? 'nobody';
  }
}

const CHECKOUT = 'system:serviceaccount:shop:checkout';

describe('messages of a WebSocket whose handler is not enforced', () => {
  let bench: Awaited<ReturnType<typeof startBench>>;
  let socket: Socket;

  async function connect(token?: string): Promise<void> {
    socket = io(bench.url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      ...(token !== undefined && { auth: { token } }),
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
  }

  const send = (name: string) => new Promise<unknown>((resolve) => socket.emit(name, {}, resolve));

  beforeEach(async () => {
    bench = await startBench({ longLivedConnections: 'stay-open' }, { providers: [Gateway] });
  });

  afterEach(async () => {
    socket.close();
    await bench.close();
  });

  it('keep the token of the connection for enforced handlers', async () => {
    await connect('checkout');
    expect(await send('admin')).toBe(CHECKOUT);
    expect(await send('enforced')).toBe(CHECKOUT);
  });

  it('have no caller after the token has expired, although the connection had one', async () => {
    await connect('checkout');
    expect(await send('soft')).toBe(CHECKOUT);
    await bench.clock.advance(3_600_000);
    expect(await send('soft')).toBe('nobody');
  });

  it('are decided and logged one by one', async () => {
    await connect();
    for (let n = 0; n < 3; n++) expect(await send('soft')).toBe('nobody');
    expect(bench.log.events.filter(({ code }) => code === 'ERR_K8S_AUTH_TOKEN_MISSING')).toHaveLength(3);
  });
});
