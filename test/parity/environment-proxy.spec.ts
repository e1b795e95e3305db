import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildOnce } from '../integration/shutdown/application-process.fixture.js';
import { RunningProcess } from '../support/running-process.js';

const SCRIPT = join(import.meta.dirname, 'environment-proxy.process.mjs');

let directory: string;
let servers: Server[];
/** The credentials that each server received. */
let arrivals: Record<'destination' | 'proxy', (string | undefined)[]>;
let token: string;
let tokenFile: string;

beforeAll(buildOnce, 300_000);

beforeEach(async () => {
  arrivals = { destination: [], proxy: [] };
  servers = await Promise.all((['destination', 'proxy'] as const).map(listen));
  directory = mkdtempSync(join(tmpdir(), 'environment-proxy-'));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  token = [part({ alg: 'ES256' }), part({ aud: 'service2' }), part({ of: 'no key' })].join('.');
  tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, token);
});

afterEach(() => {
  for (const server of servers) server.close().closeAllConnections();
  rmSync(directory, { recursive: true });
});

async function listen(name: 'destination' | 'proxy'): Promise<Server> {
  const server = createServer(({ headers }, response) => {
    arrivals[name].push(headers.authorization);
    response.end();
  });
  server.on('connect', ({ headers }, socket) => {
    arrivals[name].push(headers.authorization);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('a process whose environment names a proxy for all of Node', () => {
  it.each([
    ['NODE_USE_ENV_PROXY', { NODE_USE_ENV_PROXY: '1' }],
    ['HTTP_PROXY alone', {}],
  ])('does not send its tokens to the proxy: %s', async (_name, variables) => {
    const [origin = '', proxy = ''] = servers.map(
      (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    const environment = {
      PATH: process.env['PATH'] ?? '',
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      NO_PROXY: '',
      ...variables,
    };
    const running = new RunningProcess({ args: [SCRIPT, origin, tokenFile], environment });
    await running.ended;
    expect(running.text).toContain('called 6 times');
    expect(arrivals).toEqual({ destination: Array(6).fill(`Bearer ${token}`), proxy: [] });
  });
});
