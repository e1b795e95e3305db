import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type InternalAxiosRequestConfig } from 'axios';
import { type TokenVolume } from '../../token-file/token-volume.fixture.js';
import { TokenSourceError } from '../../errors.js';
import { type K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';

const LISTED = 'service2.mytest.svc';

let bench: OutboundBench;
let server: DestinationServer;
let volume: TokenVolume;
let token: string;
let tokenSource: K8sAuthTokenSource;
let origin: string;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, origin, volume, token, tokenSource } = await bench.listedServer(LISTED));
});

afterEach(() => bench.close());

describe('attachK8sAuth: the requests that get a token', () => {
  it('sends the token of a listed origin', async () => {
    const { status } = await bench.client(tokenSource).get(`${origin}/orders?x=1`);
    expect(status).toBe(200);
    expect(server.last).toMatchObject({ authorization: `Bearer ${token}`, url: '/orders?x=1' });
  });

  it('sends each origin its own token', async () => {
    const other = await bench.server();
    const second = await bench.tokenVolume({ aud: ['other'] });
    const source = bench.tokenSource({ [origin]: volume, [other.origin()]: second.volume });
    const client = bench.client(source);
    await Promise.all([client.get(origin), client.get(other.origin())]);
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expect(other.last?.authorization).toBe(`Bearer ${second.token}`);
  });

  it.each([
    ['another host', (port: string) => `http://other.test:${port}`],
    ['the host with a suffix', (port: string) => `http://${LISTED}.evil.test:${port}`],
    ['a subdomain', (port: string) => `http://sub.${LISTED}:${port}`],
    ['the parent domain', (port: string) => `http://mytest.svc:${port}`],
    ['the address of the host', (port: string) => `http://127.0.0.1:${port}`],
    ['the host as user name', (port: string) => `http://${LISTED}@other.test:${port}`],
    ['a trailing dot', (port: string) => `http://${LISTED}.:${port}`],
  ])('sends no token to %s', async (_name, urlWith) => {
    await bench.client(tokenSource).get(urlWith(new URL(origin).port));
    expect(server.arrivals).toHaveLength(1);
    expect(server.last?.authorization ?? '').not.toContain('Bearer');
    expect(server.last?.authorization).not.toBe('');
  });

  it('sends no token to another port', async () => {
    const other = await bench.server();
    await bench.client(tokenSource).get(other.origin(LISTED));
    expect(other.last?.authorization).toBeUndefined();
  });

  it('uses the origin of an absolute URL, regardless of the baseURL', async () => {
    const other = await bench.server();
    const client = bench.client(tokenSource, { baseURL: origin });
    await client.get('/relative');
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    await client.get(other.origin());
    expect(other.last?.authorization).toBeUndefined();

    const fromOther = bench.client(tokenSource, { baseURL: other.origin() });
    await fromOther.get(origin);
    expect(server.last).toMatchObject({ url: '/', authorization: `Bearer ${token}` });
  });

  it('uses the same origin as the adapter when absolute URLs are not allowed', async () => {
    const other = await bench.server();
    const client = bench.client(tokenSource, { baseURL: other.origin(), allowAbsoluteUrls: false });
    await client.get(origin);
    expect(other.arrivals).toHaveLength(1);
    expect(other.last?.authorization).toBeUndefined();
    expect(server.arrivals).toHaveLength(0);
  });

  it.each(['//service2.mytest.svc/x', 'http:service2.mytest.svc', 'not a url', '/x'])(
    'leaves the refusal of %j to axios',
    async (url) => {
      await expect(bench.client(tokenSource).get(url)).rejects.toMatchObject({ code: 'ERR_INVALID_URL' });
    },
  );

  it('sends nothing when there is no token, and names the token file in the error', async () => {
    volume.empty();
    const error: unknown = await bench
      .client(tokenSource)
      .get(origin)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TokenSourceError);
    expect(error).toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE', tokenFile: volume.file });
    expect(server.arrivals).toHaveLength(0);
  });

  it('sends the new token after the file is swapped', async () => {
    const client = bench.client(tokenSource);
    await client.get(origin);
    const next = await bench.mint.mint();
    volume.write(next);
    await bench.clock.advance(60_000);
    await client.get(origin);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([
      `Bearer ${token}`,
      `Bearer ${next}`,
    ]);
  });
});

describe('attachK8sAuth: interceptors', () => {
  it.each(['before', 'after'])(
    'looks at the URL that an interceptor registered %s it has made',
    async (when) => {
      const other = await bench.server();
      const client = axios.create();
      const detour = (config: InternalAxiosRequestConfig) => ({
        ...config,
        baseURL: undefined,
        url: other.origin(),
      });
      if (when === 'before') client.interceptors.request.use(detour);
      attachK8sAuth(client, bench.tokenSource({ [server.origin()]: volume }));
      if (when === 'after') client.interceptors.request.use(detour);
      await client.get('/', { baseURL: server.origin() });
      expect(other.last?.authorization).toBeUndefined();
      expect(server.arrivals).toHaveLength(0);
    },
  );

  it('does not use the baseURL of the instance when an interceptor has removed it', async () => {
    const client = bench.client(tokenSource, { baseURL: origin });
    client.interceptors.request.use((config) => ({ ...config, baseURL: undefined }));
    await expect(client.get('/orders')).rejects.toMatchObject({ code: 'ERR_INVALID_URL' });
  });

  it('shows the token to no interceptor, and leaves none in the config', async () => {
    const client = axios.create();
    const seen: InternalAxiosRequestConfig[] = [];
    const look = (config: InternalAxiosRequestConfig) => (seen.push(config), config);
    client.interceptors.request.use(look);
    attachK8sAuth(client, bench.tokenSource({ [server.origin()]: volume }));
    client.interceptors.request.use(look);
    const config = { headers: { 'X-Mine': '1' } };
    await client.get(server.origin(), config);
    expect(server.last).toMatchObject({ authorization: `Bearer ${token}`, headers: { 'x-mine': '1' } });
    expect(seen).toHaveLength(2);
    expect(seen.every(({ headers }) => !headers.has('authorization'))).toBe(true);
    expect(config).toEqual({ headers: { 'X-Mine': '1' } });
  });

  it('keeps synchronous interceptors synchronous', async () => {
    const client = bench.client(tokenSource);
    const order: string[] = [];
    client.interceptors.request.use((config) => (order.push('interceptor'), config), null, {
      synchronous: true,
    });
    const answer = client.get(origin);
    // The verb methods of axios are async functions that run up to their first await.
    order.push('caller');
    await answer;
    expect(order).toEqual(['interceptor', 'caller']);
  });

  it('has no further effect when attached twice', async () => {
    const client = bench.client(tokenSource);
    const before = (client.interceptors.request as unknown as { handlers: unknown[] }).handlers.length;
    attachK8sAuth(client, tokenSource);
    expect((client.interceptors.request as unknown as { handlers: unknown[] }).handlers).toHaveLength(before);
    await client.get(origin);
    expect(server.arrivals).toHaveLength(1);
  });

  it('serves two token sources on one instance', async () => {
    const other = await bench.server();
    const second = await bench.tokenVolume();
    const client = bench.client(tokenSource);
    attachK8sAuth(client, bench.tokenSource({ [other.origin()]: second.volume }));
    await Promise.all([client.get(origin), client.get(other.origin())]);
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expect(other.last?.authorization).toBe(`Bearer ${second.token}`);
  });

  it('does not change the default axios instance and its adapter', async () => {
    bench.client(tokenSource);
    const source = bench.tokenSource({ [server.origin()]: volume });
    attachK8sAuth(axios.create(), source);
    await axios.get(server.origin());
    expect(server.last?.authorization).toBeUndefined();
  });

  it('can send the config of a response again, with the current token', async () => {
    const client = bench.client(tokenSource);
    const { config } = await client.get(origin);
    const next = await bench.mint.mint();
    volume.write(next);
    await bench.clock.advance(60_000);
    await client.request(config);
    expect(server.last?.authorization).toBe(`Bearer ${next}`);
    await axios.request(config);
    expect(server.last?.authorization).toBeUndefined();
  });
});
