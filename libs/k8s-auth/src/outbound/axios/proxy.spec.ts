import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AxiosInstance } from 'axios';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';

let bench: OutboundBench;
let server: DestinationServer;
let token: string;
let client: AxiosInstance;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, token, client } = await bench.listedServer());
});

afterEach(() => bench.close());

describe('HTTP_PROXY', () => {
  const saved = process.env['HTTP_PROXY'];
  afterEach(() => {
    if (saved === undefined) delete process.env['HTTP_PROXY'];
    else process.env['HTTP_PROXY'] = saved;
  });

  it('does not get to see a token', async () => {
    const proxy = await bench.server();
    process.env['HTTP_PROXY'] = proxy.origin();
    await client.get('/');
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expect(proxy.arrivals).toHaveLength(0);
  });

  it('is used for what carries none', async () => {
    const proxy = await bench.server();
    process.env['HTTP_PROXY'] = proxy.origin();
    await client.get('http://unlisted.test/');
    expect(proxy.last).toMatchObject({ url: 'http://unlisted.test/', authorization: undefined });
  });

  it('yields to a proxy that the caller has set', async () => {
    const proxy = await bench.server();
    const { hostname: host, port } = new URL(proxy.origin());
    await client.get('/', { proxy: { protocol: 'http', host, port: Number(port) } });
    expect(proxy.last?.authorization).toBe(`Bearer ${token}`);
  });
});
