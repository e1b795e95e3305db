import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type Socket } from 'node:net';
import { ApplicationProcess, buildOnce } from './application-process.fixture.js';

const BUILD_MS = 120_000;
const RUN_MS = 30_000;

beforeAll(buildOnce, BUILD_MS);

describe('service2 when it receives a signal', () => {
  let service2: ApplicationProcess;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterEach(() => service2.signal('SIGKILL'));

  /** Sends one request after the other on one connection, until the server says that it will close it. */
  async function requestUntilClosed(): Promise<number[]> {
    const statuses = [];
    for (;;) {
      const { statusCode = 0, headers } = await get(agent, service2.port);
      statuses.push(statusCode);
      if (headers.connection === 'close') return statuses;
    }
  }

  it(
    'answers the open request, and says that it will close the connection',
    async () => {
      service2 = await ApplicationProcess.launch('service2');
      const socket = await service2.connect();
      const answer = textOf(socket);
      // The request is open until its body arrives.
      const head = ['GET /livez HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Length: 2'];
      socket.write(`${head.join('\r\n')}\r\nExpect: 100-continue\r\n\r\n`);
      await new Promise((resolve) => socket.once('data', resolve));
      const ended = service2.signal('SIGTERM');
      await requestUntilClosed();
      socket.write('{}');
      expect(await answer).toMatch(/HTTP\/1\.1 200 OK\r\n(.+\r\n)*Connection: close\r\n/i);
      expect(await ended).toBe(0);
    },
    RUN_MS,
  );

  it(
    'still answers on connections that were idle when the signal came',
    async () => {
      service2 = await ApplicationProcess.launch('service2');
      (await service2.connect()).destroy();
      const idle = new Agent({ keepAlive: true });
      expect((await get(idle, service2.port)).headers.connection).toBe('keep-alive');
      const ended = service2.signal('SIGTERM');
      expect(new Set(await requestUntilClosed())).toEqual(new Set([200]));
      const last = await get(idle, service2.port);
      expect([last.statusCode, last.headers.connection]).toEqual([200, 'close']);
      expect(await ended).toBe(0);
    },
    RUN_MS,
  );
});

function get(agent: Agent, port: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/livez', agent }, (response) => {
      response.resume().once('end', () => resolve(response));
    })
      .once('error', reject)
      .end();
  });
}

/** Everything that arrives until the other side closes. */
function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}
