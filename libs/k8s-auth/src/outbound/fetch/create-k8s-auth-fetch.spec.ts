import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Agent, ProxyAgent } from 'undici';
import { DestinationServer } from '../axios/outbound.fixture.js';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { createK8sAuthFetch } from './create-k8s-auth-fetch.js';

let server: DestinationServer;
/** The origins that were asked for. */
let asked: string[];
let unauthorized: string[];
let token: string | undefined;

const tokenSource: TokensByOrigin = {
  getToken: (origin) => {
    asked.push(origin);
    return Promise.resolve(token);
  },
  noteUnauthorized: (origin) => void unauthorized.push(origin),
};
const send = createK8sAuthFetch(tokenSource);
const withDispatcher = (dispatcher: unknown) => ({ dispatcher }) as RequestInit;

beforeEach(async () => {
  server = await DestinationServer.start();
  asked = [];
  unauthorized = [];
  token = 'abc';
});
afterEach(() => server.close());

describe('createK8sAuthFetch', () => {
  it.each([401, 403])('reports only a 401 of an origin that has no token: status %s', async (status) => {
    token = undefined;
    server.answer = (_, response) => response.writeHead(status).end();
    expect((await send(server.origin())).status).toBe(status);
    expect(server.last?.authorization).toBeUndefined();
    expect(unauthorized).toEqual(status === 401 ? [server.origin()] : []);
  });

  it('sends the token through the dispatcher of the caller', async () => {
    let requests = 0;
    const agent = new Agent().compose((dispatch) => (options, handler) => {
      requests++;
      return dispatch(options, handler);
    });
    expect((await send(server.origin(), withDispatcher(agent))).status).toBe(200);
    expect(server.last?.authorization).toBe('Bearer abc');
    expect(requests).toBe(1);
    await agent.close();
  });

  it('sends no token through a proxy of the caller without TLS', async () => {
    const tunnel = createServer().on('connect', (request, socket: Socket) => {
      const [host, port] = String(request.url).split(':');
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const onward = connect(Number(port), host);
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
    const agent = new ProxyAgent(`http://127.0.0.1:${(tunnel.address() as AddressInfo).port}`);
    try {
      expect((await send(server.origin(), withDispatcher(agent))).status).toBe(200);
      expect(server.last?.authorization).toBeUndefined();
      expect(asked).toEqual([]);
    } finally {
      await agent.destroy();
      tunnel.close();
    }
  });

  it.each([
    ['has a user name and a password', (origin: string) => origin.replace('//', '//user:password@')],
    ['has a password', (origin: string) => origin.replace('//', '//:password@')],
    ['is not a URL', () => 'orders'],
    ['is not of HTTP', () => 'ftp://orders.test/'],
  ])('leaves a URL to fetch, which rejects it, if it %s', async (_, urlOf) => {
    await expect(send(urlOf(server.origin()))).rejects.toMatchObject({ name: 'TypeError' });
    expect(asked).toEqual([]);
    expect(server.arrivals).toEqual([]);
  });
});
