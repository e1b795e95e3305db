import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RequestConnection } from '../request/bearer-token.js';
import { authorizationsOf, connectionOfNode, ownText } from './shapes.js';

let server: Server;
let client: Socket;

beforeEach(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  client?.destroy();
  server.close();
});

/** A request as Node's server gets it, and its response. */
async function requestWith(...headers: string[]): Promise<[IncomingMessage, ServerResponse]> {
  const arrival = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write(['GET / HTTP/1.1', 'Host: orders', ...headers, '', ''].join('\r\n'));
  return arrival;
}

describe.each([
  ['of a route', (request: unknown) => new RequestConnection(request)],
  ['of a message', connectionOfNode],
])('the connection %s', (_, connectionOf) => {
  it('has the address of the caller, and is open until the caller closes it', async () => {
    const [request] = await requestWith();
    const connection = connectionOf(request);
    expect(connection.address).toBe('127.0.0.1');
    expect(connection.isClosed()).toBe(false);
    client.destroy();
    await once(request.socket, 'close');
    expect(connection.isClosed()).toBe(true);
  });

  it('is closed once the caller has aborted its request, also if the socket stays open (HTTP/2)', () => {
    expect(connectionOf({ headers: {}, aborted: true, socket: { destroyed: false } }).isClosed()).toBe(true);
  });

  it.each([[undefined], [null], ['text'], [{}], [{ headers: {} }]])(
    'has an empty address and is open for %p, which Node has not created',
    (request) => {
      expect(connectionOf(request).address).toBe('');
      expect(connectionOf(request).isClosed()).toBe(false);
    },
  );
});

describe('authorizationsOf', () => {
  it('returns each line of the header, whatever its case, and none twice', async () => {
    const [request] = await requestWith('Authorization: Bearer a', 'AUTHORIZATION: Bearer b');
    expect(authorizationsOf(request)).toEqual(['Bearer a', 'Bearer b']);
  });

  it('returns also the value that a middleware has set', async () => {
    const [request] = await requestWith('Authorization: Bearer a');
    request.headers.authorization = 'Bearer of-middleware';
    expect(authorizationsOf(request)).toEqual(['Bearer a', 'Bearer of-middleware']);
  });

  it('returns nothing for a request without the header, and for no request', async () => {
    const [request] = await requestWith('X-Authorization: Bearer a', 'X-Name: authorization');
    expect(authorizationsOf(request)).toEqual([]);
    expect(authorizationsOf(undefined)).toEqual([]);
    expect(authorizationsOf({ headers: { authorization: 'Bearer a' } })).toEqual(['Bearer a']);
  });
});

describe('ownText', () => {
  it('returns only the text of an own property', () => {
    const inherited = Object.create({ authorization: 'Bearer a' }) as object;
    for (const value of [undefined, 'text', {}, inherited, { authorization: 7 }, { authorization: ['a'] }])
      expect(ownText(value, 'authorization')).toBeUndefined();
    expect(ownText({ authorization: 'Bearer a' }, 'authorization')).toBe('Bearer a');
  });
});
