import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo } from 'node:net';
import { type Readable } from 'node:stream';
import { OutboundBench } from './outbound.fixture.js';
import { failureOf, pathsTo } from './secrecy.fixture.js';

let bench: OutboundBench;
let server: Http2Server;
let sessions: ServerHttp2Session[];
let origin: string;
let seen: (string | undefined)[];

beforeEach(async () => {
  bench = new OutboundBench();
  seen = [];
  sessions = [];
  server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.statusCode = request.url === '/broken' ? 500 : 200;
    response.end('ok');
  }).on('session', (session) => sessions.push(session));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  sessions.forEach((session) => session.destroy());
  await new Promise((resolve) => server.close(resolve));
  await bench.close();
});

describe('HTTP/2', () => {
  it('carries the token, and no response shows it', async () => {
    const { volume, token } = await bench.tokenVolume();
    const client = bench.client(bench.tokenSource({ [origin]: volume }), {
      baseURL: origin,
      lookup: undefined,
    });
    const settings = { httpVersion: 2 as const };
    const response = await client.get('/', settings);
    const error = await failureOf(client.get('/broken', settings));
    const stream = await client.get<Readable>('/', { ...settings, responseType: 'stream' });
    expect(seen).toEqual(Array(3).fill(`Bearer ${token}`));
    for (const value of [response, error, stream]) expect(pathsTo(token, value)).toEqual([]);
    expect(response.data).toBe('ok');
    await stream.data.toArray();
  });
});
