import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AxiosHeaders, type AxiosRequestConfig } from 'axios';
import http from 'node:http';
import { type TokenVolume } from '../../token-file/token-volume.fixture.js';
import { type K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { namesHostOf } from '../destinations.options.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';

let bench: OutboundBench;
let server: DestinationServer;
let volume: TokenVolume;
let token: string;
let tokenSource: K8sAuthTokenSource;
let origin: string;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, origin, volume, token, tokenSource } = await bench.listedServer('service2.mytest.svc'));
});

afterEach(() => bench.close());

describe("attachK8sAuth: the caller's own credentials", () => {
  it.each(['Authorization', 'authorization', 'AUTHORIZATION'])(
    'does not change a header %s of the caller',
    async (name) => {
      await bench.client(tokenSource).get(origin, { headers: { [name]: 'Basic mine' } });
      expect(server.last?.authorization).toBe('Basic mine');
    },
  );

  it('does not change a header of the instance', async () => {
    await bench.client(tokenSource, { headers: { common: { authorization: 'Basic mine' } } }).get(origin);
    expect(server.last?.authorization).toBe('Basic mine');
  });

  it('does not change a header that an interceptor has set', async () => {
    const client = bench.client(tokenSource);
    client.interceptors.request.use((config) => {
      config.headers.set('Authorization', 'Basic mine');
      return config;
    });
    await client.get(origin);
    expect(server.last?.authorization).toBe('Basic mine');
  });

  it.each([false, null])('sends no token when the caller has set the header to %p', async (value) => {
    const headers = new AxiosHeaders().set('Authorization', value);
    await bench.client(tokenSource).get(origin, { headers });
    expect(server.last?.authorization).toBeUndefined();
  });

  it('sends the token when the header is undefined', async () => {
    await bench.client(tokenSource).get(origin, { headers: { Authorization: undefined } });
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
  });

  it('does not change `auth`', async () => {
    await bench.client(tokenSource).get(origin, { auth: { username: 'me', password: 'x' } });
    expect(server.last?.authorization).toBe(`Basic ${btoa('me:x')}`);
  });

  it('does not change a user name in the URL', async () => {
    await bench.client(tokenSource).get(origin.replace('//', '//me:x@'));
    expect(server.last?.authorization).toBe(`Basic ${btoa('me:x')}`);
  });

  it.each<[string, (url: string) => [string, AxiosRequestConfig]]>([
    ['`auth`', (url) => [url, { auth: { username: 'me', password: 'x' } }]],
    ['a user name in the URL', (url) => [url.replace('//', '//me:x@'), {}]],
    ['a header', (url) => [url, { headers: { authorization: 'Basic mine' } }]],
  ])('needs no token file with %s', async (_name, requestWith) => {
    volume.empty();
    await bench.client(tokenSource).get(...requestWith(origin));
    expect(server.last?.authorization).toMatch(/^Basic /);
    expect(bench.reads).toBe(0);
  });

  it('sends no token through a transport of the caller, because its target is unknown', async () => {
    await bench.client(tokenSource).get(origin, { transport: http });
    expect(server.last).toMatchObject({ url: '/', authorization: undefined });
  });

  it('sends no token into a socket, regardless of the host in the URL', async () => {
    const socketPath = `${volume.file}.sock`;
    const arrivals: (string | undefined)[] = [];
    const local = http.createServer(({ headers }, response) => {
      arrivals.push(headers.authorization);
      response.end();
    });
    await new Promise<void>((resolve) => local.listen(socketPath, resolve));
    await bench.client(tokenSource).get(origin, { socketPath });
    await new Promise((resolve) => local.close(resolve));
    expect(arrivals).toEqual([undefined]);
  });
});

describe('attachK8sAuth: a Host header', () => {
  it.each<[string, unknown]>([
    ['Host', 'other.test'],
    ['host', 'service2.mytest.svc'],
    ['HOST', 'service2.mytest.svc:1'],
    ['hOsT', 'sub.service2.mytest.svc'],
    [' Host', 'other.test'],
    ['Host', ['other.test']],
    ['Host', ['other.test', 'service2.mytest.svc']],
    ['Host', ''],
    ['Host', 80],
    ['Host', 'service2.mytest.svc/x'],
    ['Host', 'me@service2.mytest.svc'],
  ])('removes the token when it names another host: %s: %j', async (name, value) => {
    const request = bench.client(tokenSource).get(origin, { headers: { [name]: value as string } });
    // Node refuses some of them.
    await request.catch(() => {});
    expect(server.arrivals.map(({ authorization }) => authorization).filter(Boolean)).toEqual([]);
  });

  it.each<[string, (host: string) => unknown]>([
    ['Host', (host) => host],
    ['HOST', (host) => host.toUpperCase()],
    ['Host', () => undefined],
    ['Host', () => null],
    ['Host', () => false],
  ])('keeps the token when it names the origin or is empty: %s', async (name, valueOf) => {
    const headers = { [name]: valueOf(new URL(origin).host) as string };
    await bench.client(tokenSource).get(origin, { headers });
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
  });

  it('may omit only the default port of the scheme', () => {
    expect(namesHostOf('http://a.test', 'a.test:80')).toBe(true);
    expect(namesHostOf('http://a.test:80', 'a.test')).toBe(false);
    expect(namesHostOf('https://a.test', 'a.test:443')).toBe(true);
    expect(namesHostOf('https://a.test', 'a.test:80')).toBe(false);
    expect(namesHostOf('http://[::1]:8080', '[::1]:8080')).toBe(true);
  });

  it('removes the token when a hook sets it for a redirect', async () => {
    server.answer = ({ url }, response) =>
      url === '/start' ? response.writeHead(307, { location: '/end' }).end() : response.end();
    const beforeRedirect = (hop: Record<string, object>) =>
      Object.assign(hop['headers'] ?? {}, { host: 'other.test' });
    await bench.client(tokenSource).get(`${origin}/start`, { beforeRedirect });
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([`Bearer ${token}`, undefined]);
  });

  it.each(['http', 'fetch'])(
    'takes the token away when an interceptor adds it: %s adapter',
    async (adapter) => {
      const client = bench.client(bench.tokenSource({ [server.origin()]: volume }));
      client.interceptors.request.use((config) => {
        (config.headers as unknown as Record<string, string>)['HOST'] = 'other.test';
        return config;
      });
      await client.get(server.origin(), { adapter });
      expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([undefined]);
    },
  );
});

describe('attachK8sAuth: hosts in other spellings', () => {
  it.each([
    ['upper case', 'http://SERVICE2.MyTest.SVC'],
    ['an escape', 'http://service2.mytest%2Esvc'],
    ['a full-width dot', 'http://service2\u3002mytest.svc'],
  ])('sends the token to the normalized host: %s', async (_name, url) => {
    const { port } = new URL(origin);
    await bench.client(tokenSource).get(`${url}:${port}`);
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
  });

  it('recognizes an international host name by its ASCII form', async () => {
    const source = bench.tokenSource({ [server.origin('bücher.test')]: volume });
    const client = bench.client(source);
    for (const host of ['bücher.test', 'xn--bcher-kva.test', 'BÜCHER.test'])
      await client.get(server.origin(host));
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual(
      Array(3).fill(`Bearer ${token}`),
    );
  });
});
