import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import http, { Agent } from 'node:http';
import https from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { Agent as Dispatcher } from 'undici';
import { CertificateAuthority } from '../../../testing/local-cluster/certificates.js';
import { until } from '../../../test-support/until.js';
import { issueLoopback, startHttpsServer } from '../../http/https-server.fixture.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';
import { expectNoToken, failureOf, pathsTo } from './secrecy.fixture.js';

let bench: OutboundBench;
let server: DestinationServer;
let origin: string;
let token: string;
let client: AxiosInstance;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, token, client, origin } = await bench.listedServer());
});

afterEach(() => bench.close());

/** A request to `/slow` that is not answered before the returned function is called. */
async function requestInFlight(config: object = {}): Promise<() => Promise<unknown>> {
  let release = () => {};
  const answer = server.answer;
  server.answer = (arrival, response) => {
    if (arrival.url !== '/slow') return answer(arrival, response);
    release = () => response.end();
  };
  const slow = client.get('/slow', config);
  await until(() => server.last?.url === '/slow');
  return () => (release(), slow);
}

function agentOf(response: { request?: unknown }): Agent {
  return (response.request as { agent: Agent }).agent;
}

describe('a request with a token in flight', () => {
  it.each([
    ['http', {}],
    ['http', { maxRedirects: 0 }],
    ['fetch', {}],
  ])('is not visible in the responses of other requests: %s %j', async (adapter, config) => {
    const unlisted = await bench.server();
    const before = await client.get('/', { adapter, ...config });
    const finish = await requestInFlight({ adapter, ...config });
    const response = await client.get(unlisted.origin(), { adapter });
    server.answer = (_arrival, answer) => answer.writeHead(500).end();
    const error = await failureOf(client.get('/', { adapter, ...config }));
    for (const value of [before, response, error, client, http.globalAgent, https.globalAgent]) {
      expectNoToken(value, token);
    }
    await finish();
  });

  it('is not shown by a shared agent of the caller', async () => {
    const unlisted = await bench.server();
    const shared = { httpAgent: new Agent({ keepAlive: true }) };
    const finish = await requestInFlight(shared);
    const response = await client.get(unlisted.origin(), shared);
    expect(inspectDeep(response)).not.toContain(token);
    expect(inspectDeep(shared)).not.toContain(token);
    await finish();
  });

  it('is not shown by responses and errors of requests that share a dispatcher of the caller', async () => {
    const unlisted = await bench.server();
    const shared = { adapter: 'fetch', fetchOptions: { dispatcher: new Dispatcher() } };
    const finish = await requestInFlight(shared);
    const response = await client.get(unlisted.origin(), shared);
    server.answer = (_arrival, answer) => answer.writeHead(500).end();
    const error = await failureOf(client.get('/', shared));
    for (const value of [response, error]) {
      expectNoToken(value, token);
      expect(JSON.stringify(value.config?.fetchOptions)).toBe('{"dispatcher":"[Agent]"}');
    }
    await finish();
  });

  it('is sent by a dispatcher of the caller, which is not changed', async () => {
    const dispatcher = new Dispatcher();
    const before = Reflect.ownKeys(dispatcher);
    const fetchOptions = { dispatcher };
    const { config } = await client.get('/', { adapter: 'fetch', fetchOptions });
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expect(Reflect.ownKeys(dispatcher)).toEqual(before);
    expect(fetchOptions.dispatcher).toBe(dispatcher);
    // The config of a response can be sent again, by an attached instance and by any other.
    for (const instance of [client, axios]) {
      await expect(instance.request({ ...config, adapter: 'fetch' })).resolves.toMatchObject({ status: 200 });
    }
    const stand = (config.fetchOptions as typeof fetchOptions).dispatcher;
    await stand.close();
    expect(dispatcher.closed).toBe(true);
    await stand.destroy();
    expect(dispatcher.destroyed).toBe(true);
  });

  it('is not visible while its connection is being established', async () => {
    const sockets: Socket[] = [];
    // Accepts connections and never speaks TLS.
    const mute = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const secureOrigin = `https://127.0.0.1:${(mute.address() as { port: number }).port}`;
    const { volume, token } = await bench.tokenVolume();
    const httpsAgent = new https.Agent();
    const caller = bench.client(bench.tokenSource({ [secureOrigin]: volume }), { httpsAgent });
    const controller = new AbortController();
    const answer = failureOf(caller.get(secureOrigin, { signal: controller.signal }));
    await until(() => sockets.length > 0);
    expect(pathsTo(token, httpsAgent)).toEqual([]);
    controller.abort();
    expectNoToken(await answer, token);
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => mute.close(resolve));
  });

  it('is not visible in the error of a refused connection', async () => {
    await server.close();
    expectNoToken(await failureOf(client.get('/')), token);
  });

  it('is not visible while it waits for a connection', async () => {
    const httpAgent = new Agent({ maxSockets: 1, keepAlive: true });
    const finish = await requestInFlight({ httpAgent });
    const waiting = [1, 2].map((index) => client.get(`/${index}`, { httpAgent }));
    await until(() => Object.keys(httpAgent.requests).length > 0);
    expect(pathsTo(token, httpAgent)).toEqual([]);
    await Promise.all([finish(), ...waiting]);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual(
      Array(3).fill(`Bearer ${token}`),
    );
    httpAgent.destroy();
  });

  it('is not visible when its head was rendered early, for "Expect: 100-continue"', async () => {
    const httpAgent = new Agent();
    const headers = { Expect: '100-continue' };
    const sent = client.post('/', 'body', { httpAgent, headers });
    await until(() => Object.keys(httpAgent.sockets).length > 0);
    expect(pathsTo(token, httpAgent)).toEqual([]);
    const response = await sent;
    expect(server.last).toMatchObject({ authorization: `Bearer ${token}`, body: 'body' });
    expectNoToken(response, token);
  });
});

describe('the agents of requests with a token', () => {
  it.each([
    ['by default', {}],
    ['with the global agent as an option', { httpAgent: http.globalAgent }],
  ])('are not the global ones: %s', async (_name, config) => {
    const names = () => [
      ...Object.keys(http.globalAgent.sockets),
      ...Object.keys(http.globalAgent.freeSockets),
    ];
    const finish = await requestInFlight(config);
    expect(names().filter((name) => name.includes(new URL(origin).port))).toEqual([]);
    await finish();
    expect(names().filter((name) => name.includes(new URL(origin).port))).toEqual([]);
  });

  it('have the settings of the global ones, and keep connections as they do', async () => {
    const first = await client.get('/');
    const second = await client.get('/');
    expect((second.request as { reusedSocket: boolean }).reusedSocket).toBe(true);
    const { maxSockets, maxFreeSockets } = http.globalAgent;
    expect(agentOf(first)).toMatchObject({ keepAlive: true, maxSockets, maxFreeSockets });
    expect(agentOf(first)).toBeInstanceOf(Agent);
  });

  it('are one set for each attached instance', async () => {
    const other = bench.client(bench.tokenSource({}), { baseURL: origin });
    const sources = await bench.tokenVolume();
    const second = bench.client(bench.tokenSource({ [origin]: sources.volume }), { baseURL: origin });
    const [one, two, plain] = [await client.get('/'), await second.get('/'), await other.get('/')];
    expect(agentOf(one).freeSockets).not.toBe(agentOf(two).freeSockets);
    expect(agentOf(plain)).toBe(http.globalAgent);
  });

  it('are the agents of the caller, if the caller has set any', async () => {
    const httpAgent = new Agent({ keepAlive: true, maxFreeSockets: 3 });
    const response = await client.get('/', { httpAgent });
    expect(agentOf(response).freeSockets).toBe(httpAgent.freeSockets);
    expect(Object.values(httpAgent.freeSockets)).toHaveLength(1);
    expect(response.config.httpAgent).toBe(httpAgent);
    httpAgent.destroy();
  });

  it('use createConnection of the caller', async () => {
    const made: unknown[] = [];
    const { port } = new URL(origin);
    class Own extends Agent {
      override createConnection(options: unknown): Socket {
        made.push(options);
        return connect(Number(port), '127.0.0.1');
      }
    }
    await client.get('/', { httpAgent: new Own() });
    expect(made).toHaveLength(1);
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
  });

  it('use a dispatcher of the caller', async () => {
    const made: unknown[] = [];
    const { port, hostname } = new URL(origin);
    const dispatcher = new Dispatcher({
      connect: (options, done) => {
        made.push(options);
        const socket = connect(Number(port), hostname, () => done(null, socket));
      },
    });
    const response = await client.get('/', { adapter: 'fetch', fetchOptions: { dispatcher } });
    expect(made).toHaveLength(1);
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expect(response.config).toHaveProperty('fetchOptions.dispatcher');
    await dispatcher.close();
  });

  it('use lookup of the caller', async () => {
    const { volume, token } = await bench.tokenVolume();
    const named = bench.client(bench.tokenSource({ [server.origin('by.name.test')]: volume }));
    const lookup = (
      _name: string,
      _options: object,
      done: (error: null, address: string, family: 4) => void,
    ) => done(null, '127.0.0.1', 4);
    await named.get(server.origin('by.name.test'), { lookup });
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
  });

  it.each([
    ['a socket', (port: number) => ({ socketPath: `/tmp/there-is-no-socket-${port}` })],
    ['another host', (port: number) => ({ host: 'localhost', port })],
  ])('get no token when their options lead to %s, for any URL', async (_name, optionsFor) => {
    const elsewhere = await bench.server();
    const options = optionsFor(Number(new URL(elsewhere.origin()).port));
    const httpAgent = new Agent(options as http.AgentOptions);
    await client.get('/', { httpAgent, lookup: undefined }).catch(() => {});
    expect(server.arrivals).toEqual([]);
    expect(elsewhere.arrivals.map(({ authorization }) => authorization).filter(Boolean)).toEqual([]);
  });

  it('are passed to Node unchanged when they are not agents', async () => {
    await expect(client.get('/', { httpAgent: { not: 'an agent' } })).rejects.toThrow(/agent/i);
  });

  it('do not keep their connection open with `httpAgent: false`', async () => {
    await client.get('/', { httpAgent: false });
    expect(server.last).toMatchObject({ authorization: `Bearer ${token}`, headers: { connection: 'close' } });
  });

  it('also send https requests', async () => {
    const authority = await CertificateAuthority.create();
    const seen: unknown[] = [];
    const secure = await startHttpsServer(await issueLoopback(authority), ({ headers }, response) => {
      seen.push(headers.authorization);
      response.end();
    });
    const { volume, token } = await bench.tokenVolume();
    const caller = bench.client(bench.tokenSource({ [secure.url]: volume }), {
      httpsAgent: new https.Agent({ ca: authority.pem, keepAlive: true }),
    });
    for (const body of ['', 'x'.repeat(1_000_000)]) expectNoToken(await caller.post(secure.url, body), token);
    expect(seen).toEqual(Array(2).fill(`Bearer ${token}`));
    await secure.close();
  });
});

function inspectDeep(value: unknown): string {
  return inspect(value, { depth: Infinity });
}
