import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runBursts } from './bursts.js';
import { partOf, send } from './send.js';

let server: Server;
let url: string;
let received: (string | undefined)[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  received = [];
  answer = (_, response) => response.end('{"message":"hello"}');
  server = createServer((request, response) => {
    received.push(request.headers.authorization);
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const headers = (count: number) => Array.from({ length: count }, (_, index) => `Bearer token-${index}`);

describe('partOf', () => {
  const partsOf = (count: number) =>
    [0, 1, 2].map((index) =>
      partOf(headers(count), 3, index)
        .map((header) => header?.at(-1))
        .join(''),
    );

  it('gives each header to one connection', () => {
    expect(partsOf(7)).toEqual(['036', '14', '25']);
  });

  it('gives all headers to each connection if there are fewer headers than connections', () => {
    expect(partsOf(2)).toEqual(['01', '10', '01']);
  });
});

describe('send', () => {
  it.each([
    [8, 4],
    [11, 4],
    [4, 4],
  ])('sends each of %i headers once over %i connections', async (count, connections) => {
    const authorizations = headers(count);
    const result = await send({ url, connections, authorizations, limit: 'each once' });
    expect(received.toSorted()).toEqual(authorizations.toSorted());
    expect(result).toMatchObject({ requests: count, statuses: { 200: count }, errors: 0 });
    expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
  });

  it('sends no Authorization header for null, and counts each status', async () => {
    answer = ({ headers: { authorization } }, response) => {
      response.statusCode = authorization === undefined ? 401 : 200;
      response.end('{}');
    };
    const options = { url, connections: 2, limit: 'each once' as const };
    const result = await send({ ...options, authorizations: [null, 'Bearer a', null] });
    expect(result.statuses).toEqual({ 200: 1, 401: 2 });
  });
});

describe('runBursts', () => {
  const run = (bursts: string[][]) => runBursts({ url, probePath: '/open', bursts, pauseMs: 0 });

  it('sends every header of a burst once, beside probes without one', async () => {
    const tokens = headers(6);
    const result = await run([tokens.slice(0, 3), tokens.slice(3)]);
    expect(received.filter((header) => header !== undefined).toSorted()).toEqual(tokens);
    expect(received.filter((header) => header === undefined).length).toBeGreaterThanOrEqual(42);
    expect(result.stallsMs).toHaveLength(2);
    expect(result.durationsMs).toHaveLength(2);
  });

  it('measures how long a probe waits while the server is busy with a burst', async () => {
    answer = ({ headers: { authorization } }, response) => {
      const untilMs = performance.now() + (authorization === undefined ? 0 : 20);
      while (performance.now() < untilMs);
      response.end('{}');
    };
    const { stallsMs, durationsMs } = await run([headers(3)]);
    expect(stallsMs[0]).toBeGreaterThan(10);
    expect(durationsMs[0]).toBeGreaterThan(50);
  });

  it('fails if an answer is not a 200, or the connection is closed', async () => {
    answer = ({ headers: { authorization } }, response) => {
      response.statusCode = authorization === undefined ? 200 : 401;
      response.end('{}');
    };
    await expect(run([headers(2)])).rejects.toThrow('expected 200, received HTTP/1.1 401 Unauthorized');
    answer = (_, response) => void response.destroy();
    await expect(run([headers(2)])).rejects.toThrow();
  });
});
