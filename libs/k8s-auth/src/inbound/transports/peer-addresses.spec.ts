import { once } from 'node:events';
import { Agent, get, type IncomingMessage, request, type Server } from 'node:http';
import { type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ADAPTERS, closeApps, startApp } from '../../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../../test-support/scripted-verifier.js';
import { until } from '../../../test-support/until.js';
import { type CallerConnection, type Verifier } from '../../verifiers/verifier.js';
import { K8sAuth } from '../k8s-auth.decorators.js';

@Controller('orders')
class OrdersController {
  @Get() @K8sAuth('orders') list(): string {
    return 'orders';
  }
}

function propertiesOf(socket: object): string {
  return Reflect.ownKeys(socket).map(String).join();
}

afterEach(closeApps);

describe.each(ADAPTERS)('the address of a peer on %s', (adapter) => {
  it('is still known after the peer has disconnected', async () => {
    let connection: CallerConnection | undefined;
    const scripted = new ScriptedVerifier();
    const verifier: Verifier = Object.assign(scripted, {
      verify: async (_token: string, _audiences: readonly string[], caller?: CallerConnection) => {
        connection = caller;
        await until(() => caller?.isClosed() === true);
        return verdictFor('shop/checkout');
      },
    });
    const { url } = await startApp(adapter, { controllers: [OrdersController], verifier });
    const sent = request(`${url}/orders`, { headers: { authorization: 'Bearer abc' } }).on('error', () => {});
    sent.end();
    await until(() => connection !== undefined);
    sent.destroy();
    await until(() => connection?.isClosed() === true);
    expect(connection?.address).toBe('127.0.0.1');
  });

  it('is among the properties of a socket when it connects, and a response adds none', async () => {
    const { app, url } = await startApp(adapter, { controllers: [OrdersController] });
    const sockets: { readonly socket: Socket; readonly properties: string }[] = [];
    (app.getHttpServer() as Server).on('connection', (socket: Socket) =>
      sockets.push({ socket, properties: propertiesOf(socket) }),
    );
    const agent = new Agent({ keepAlive: true });
    const call = get(`${url}/orders`, { agent, headers: { authorization: 'Bearer abc' } });
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    expect(response.statusCode).toBe(200);
    expect(sockets).toHaveLength(1);
    for (const { socket, properties } of sockets) {
      expect(properties).toContain('_peername');
      expect(propertiesOf(socket)).toBe(properties);
    }
    agent.destroy();
  });

  it('is not needed for a stream that the application passes to its server', async () => {
    const { app } = await startApp(adapter, { controllers: [OrdersController] });
    const received: Buffer[] = [];
    const stream = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        received.push(chunk);
        done();
      },
    });
    (app.getHttpServer() as Server).emit('connection', stream);
    stream.push('GET /orders HTTP/1.1\r\nhost: orders\r\nauthorization: Bearer abc\r\n\r\n');
    await until(() => Buffer.concat(received).toString().includes('orders'));
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 200 /);
    stream.destroy();
  });
});
