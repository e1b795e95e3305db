import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance, type AxiosProxyConfig } from 'axios';
import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import { Agent as Dispatcher } from 'undici';
import { CertificateAuthority } from '../../../testing/local-cluster/certificates.js';
import { issueLoopback, startHttpsServer } from '../../http/https-server.fixture.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';
import { expectNoToken, failureOf, pathsTo } from './secrecy.fixture.js';

const VARIABLES = [
  'HTTP_PROXY',
  'http_proxy',
  'ALL_PROXY',
  'all_proxy',
  'npm_config_http_proxy',
  'npm_config_proxy',
];

let bench: OutboundBench;
let server: DestinationServer;
let proxy: DestinationServer;
let origin: string;
let token: string;
let client: AxiosInstance;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, token, client, origin } = await bench.listedServer());
  proxy = await bench.server();
});

afterEach(() => bench.close());

/** What any proxy has read, in a header or anywhere else. */
function expectProxyKnowsNothing(): void {
  expect(JSON.stringify(proxy.arrivals)).not.toContain(token);
}

function proxyConfig(): AxiosProxyConfig {
  const { hostname: host, port } = new URL(proxy.origin());
  return { protocol: 'http', host, port: Number(port) };
}

describe('a proxy that the environment names', () => {
  const saved = { ...process.env };
  afterEach(() => {
    for (const name of VARIABLES) {
      if (saved[name] === undefined) delete process.env[name];
      else process.env[name] = saved[name];
    }
  });

  it.each(VARIABLES)('does not receive a token: %s', async (name) => {
    process.env[name] = proxy.origin();
    await client.get('/');
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expect(proxy.arrivals).toHaveLength(0);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['an empty text', ''],
    ['0', 0],
    ['NaN', NaN],
    ['undefined', undefined],
    ['false', false],
    ['true', true],
    ['text', 'http://proxy.test'],
    ['a list', []],
  ])('does not receive a token with `proxy` set to %s', async (_name, value) => {
    process.env['HTTP_PROXY'] = proxy.origin();
    for (const adapter of ['http', 'fetch', axios.getAdapter('http'), axios.getAdapter('fetch')]) {
      await client.get('/', { adapter, proxy: value as false });
      expect(server.last?.authorization).toBe(`Bearer ${token}`);
    }
    expect(proxy.arrivals).toHaveLength(0);
  });

  it('does not receive a token after a redirect within the origin', async () => {
    process.env['HTTP_PROXY'] = proxy.origin();
    server.answer = ({ url }, response) =>
      url === '/start' ? response.writeHead(307, { location: '/end' }).end() : response.end();
    await client.post('/start', 'body');
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual(
      Array(2).fill(`Bearer ${token}`),
    );
    expect(proxy.arrivals).toHaveLength(0);
  });

  it('is used for requests without a token', async () => {
    process.env['HTTP_PROXY'] = proxy.origin();
    await client.get('http://unlisted.test/');
    expect(proxy.last).toMatchObject({ url: 'http://unlisted.test/', authorization: undefined });
  });
});

describe('a proxy that the caller has set', () => {
  it('receives the request with its token, and no log shows the token', async () => {
    const response = await client.get('/x', { proxy: proxyConfig() });
    expect(proxy.last).toMatchObject({ url: `${origin}/x`, authorization: `Bearer ${token}` });
    expectNoToken(response, token);
  });

  it('receives no token after a redirect to another origin, even if a later redirect leads back', async () => {
    proxy.answer = ({ url }, response) => {
      if (url === `${origin}/start`) response.writeHead(302, { location: 'http://elsewhere.test/' });
      else if (url === 'http://elsewhere.test/') response.writeHead(302, { location: `${origin}/end` });
      response.end();
    };
    await client.get('/start', { proxy: proxyConfig() });
    expect(proxy.arrivals.map(({ url, authorization }) => [url, authorization])).toEqual([
      [`${origin}/start`, `Bearer ${token}`],
      ['http://elsewhere.test/', undefined],
      [`${origin}/end`, undefined],
    ]);
  });
});

describe('https through a proxy that the caller has set', () => {
  it.each(['http', 'with redirects off'])(
    'does not show the token to the proxy, because it is a tunnel: %s',
    async (kind) => {
      const authority = await CertificateAuthority.create();
      const seen: (string | undefined)[] = [];
      const secure = await startHttpsServer(await issueLoopback(authority), ({ headers, url }, response) => {
        seen.push(headers.authorization);
        response.writeHead(url === '/broken' ? 500 : 200).end();
      });
      const connects: unknown[] = [];
      const tunnel = http.createServer().on('connect', (request, socket) => {
        connects.push(request.headers);
        const target = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          socket.pipe(target).pipe(socket);
        });
        socket.on('error', () => target.destroy());
      });
      await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
      const { volume, token } = await bench.tokenVolume();
      const caller = bench.client(bench.tokenSource({ [secure.url]: volume }), {
        httpsAgent: new https.Agent({ ca: authority.pem }),
        proxy: { protocol: 'http', host: '127.0.0.1', port: (tunnel.address() as { port: number }).port },
        ...(kind !== 'http' && { maxRedirects: 0 }),
      });
      const response = await caller.get(secure.url);
      const error = await failureOf(caller.get(`${secure.url}/broken`));
      expect(seen).toEqual(Array(2).fill(`Bearer ${token}`));
      expect(connects).toHaveLength(2);
      expect(JSON.stringify(connects)).not.toContain(token);
      for (const value of [response, error]) {
        for (const part of token.split('.')) expect(pathsTo(part, value)).toEqual([]);
      }
      tunnel.close();
      await secure.close();
    },
  );
});

describe('an agent of the caller that leads to a proxy', () => {
  /** As http-proxy-agent makes it of a request. */
  class Forwarding extends http.Agent {
    addRequest(request: ClientRequest, options: object): void {
      request.path = `${origin}${request.path}`;
      const { hostname: host, port } = new URL(proxy.origin());
      (http.Agent.prototype as unknown as Forwarding).addRequest.call(this, request, {
        ...options,
        host,
        port: Number(port),
      });
    }
  }

  it.each([
    ['an agent that does not say so', () => new Forwarding()],
    ['an agent that says so', () => new (class HttpProxyAgent extends Forwarding {})()],
  ])('receives the request without its token: %s', async (_name, agent) => {
    await client.get('/x', { httpAgent: agent() });
    expect(proxy.last?.url).toBe(`${origin}/x`);
    expectProxyKnowsNothing();
  });

  it('receives the request without its token: a tunnel for plain http', async () => {
    class TunnelingAgent extends http.Agent {}
    await client.get('/', { httpAgent: new TunnelingAgent() });
    expect(server.last).toMatchObject({ authorization: undefined });
  });

  it('receives the request without its token: a dispatcher', async () => {
    class EnvHttpProxyAgent extends Dispatcher {}
    const dispatcher = new EnvHttpProxyAgent();
    const { config } = await client.get('/', { adapter: 'fetch', fetchOptions: { dispatcher } });
    await client.request({ ...config, adapter: 'fetch' });
    expect(server.last).toMatchObject({ authorization: undefined });
    await dispatcher.close();
  });

  it('is not used when it takes the proxy from the environment', async () => {
    const agent = new http.Agent({ proxyEnv: { HTTP_PROXY: proxy.origin() } } as http.AgentOptions);
    await client.get('/', { httpAgent: agent });
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expect(proxy.arrivals).toHaveLength(0);
  });
});
