import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as undici from 'undici';
import * as undici6 from 'undici-6';
import { type DestinationServer, type ListedServer, OutboundBench } from '../axios/outbound.fixture.js';
import { k8sAuthInterceptor } from './k8s-auth-interceptor.js';

let bench: OutboundBench;
let listed: ListedServer;
let elsewhere: DestinationServer;
let dispatcher: undici.Dispatcher;

beforeEach(async () => {
  bench = new OutboundBench();
  listed = await bench.listedServer();
  elsewhere = await bench.server();
  dispatcher = new undici.Agent().compose(k8sAuthInterceptor(listed.tokenSource));
});

afterEach(async () => {
  await dispatcher.destroy();
  await bench.close();
});

const seen = () => listed.server.arrivals.map(({ authorization }) => authorization?.replace('Bearer ', ''));

describe('a composed dispatcher', () => {
  it.each([
    ['the fetch of Node', fetch],
    ['the fetch of undici 7', undici.fetch as unknown as typeof fetch],
    ['the fetch of undici 6', undici6.fetch],
  ])(
    'adds no token to requests of fetch, because their redirects would get it too: %s',
    async (_name, send) => {
      const options = { dispatcher } as unknown as RequestInit;
      elsewhere.answer = (_arrival, response) => response.writeHead(302, { location: listed.origin }).end();
      await send(elsewhere.origin(), options);
      await send(listed.origin, options);
      expect(seen()).toEqual([undefined, undefined]);
    },
  );

  it.each<[string, undici.Dispatcher.DispatchOptions['headers']]>([
    ['a list of names and values', ['x-mine', '1']],
    ['pairs', new Map([['x-mine', '1']])],
    ['an object', { 'x-mine': '1' }],
  ])('keeps headers that are %s', async (_name, headers) => {
    await undici.request(listed.origin, { dispatcher, headers: headers ?? null });
    expect(listed.server.last?.headers['x-mine']).toBe('1');
    expect(seen()).toEqual([listed.token]);
  });

  it.each<[string, undici.Dispatcher.DispatchOptions['headers']]>([
    ['a list of names and values', ['Authorization', 'Basic bWluZQ==']],
    ['pairs', new Map([['AUTHORIZATION', 'Basic bWluZQ==']])],
  ])('adds no token beside credentials in %s', async (_name, headers) => {
    await undici.request(listed.origin, { dispatcher, headers: headers ?? null });
    expect(seen()).toEqual(['Basic bWluZQ==']);
  });

  it('adds no token to a request of a pool, which names no origin', async () => {
    const pool = new undici.Pool(listed.origin);
    const composed = pool.compose(k8sAuthInterceptor(listed.tokenSource));
    await composed.request({ path: '/', method: 'GET' });
    await composed.request({ origin: listed.origin, path: '/', method: 'GET' });
    expect(seen()).toEqual([undefined, listed.token]);
    await pool.destroy();
  });

  it('closes the connection of an endless 401 that a replay has replaced', async () => {
    await undici.request(listed.origin, { dispatcher });
    const next = await bench.mint.mint();
    listed.volume.write(next);
    let closed: Promise<unknown> = Promise.resolve();
    listed.server.answer = ({ authorization }, response) => {
      if (authorization === `Bearer ${next}`) return response.end('ok');
      response.writeHead(401);
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', write);
      closed = new Promise((resolve) => response.on('close', resolve));
      write();
    };
    const { statusCode, body } = await undici.request(listed.origin, { dispatcher });
    expect([statusCode, await body.text()]).toEqual([200, 'ok']);
    await closed;
    expect(seen()).toEqual([listed.token, listed.token, next]);
  });
});
