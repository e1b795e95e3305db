import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { createRequire } from 'node:module';
import { type K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';
import { expectNoToken, failureOf } from './secrecy.fixture.js';

let bench: OutboundBench;
let server: DestinationServer;
let token: string;
let tokenSource: K8sAuthTokenSource;
let client: AxiosInstance;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, token, tokenSource, client } = await bench.listedServer());
});

afterEach(() => bench.close());

async function authorizationsOf(
  instance: AxiosInstance,
  config: AxiosRequestConfig = {},
): Promise<unknown[]> {
  server.arrivals.length = 0;
  await instance.get(server.origin(), config);
  return server.arrivals.map(({ authorization }) => authorization);
}

describe('attachK8sAuth: an instance that lost its interceptor', () => {
  it.each<[string, (instance: AxiosInstance) => void]>([
    ['by clear', ({ interceptors }) => interceptors.request.clear()],
    ['by eject', ({ interceptors }) => interceptors.request.eject(0)],
    ['by another list of handlers', ({ interceptors }) => (interceptors.request.handlers = [])],
    ['by no list of handlers', ({ interceptors }) => delete interceptors.request.handlers],
    [
      'by clear, before another interceptor came',
      ({ interceptors }) => {
        interceptors.request.clear();
        interceptors.request.use((config) => config);
      },
    ],
  ])('can be attached again: %s', async (_name, lose) => {
    lose(client);
    attachK8sAuth(client, tokenSource);
    attachK8sAuth(client, tokenSource);
    await expect(authorizationsOf(client)).resolves.toEqual([`Bearer ${token}`]);
  });
});

describe('attachK8sAuth: instances that are created from each other', () => {
  it.each<[string, (instance: AxiosInstance) => AxiosInstance]>([
    ['by its create', (instance) => instance.create()],
    ['from its defaults', ({ defaults }) => axios.create(defaults as AxiosRequestConfig as never)],
  ])('are attached separately: %s', async (_name, make) => {
    const made = make(client);
    await expect(authorizationsOf(made)).resolves.toEqual([undefined]);
    attachK8sAuth(made, tokenSource);
    await expect(authorizationsOf(made)).resolves.toEqual([`Bearer ${token}`]);
    await expect(authorizationsOf(client)).resolves.toEqual([`Bearer ${token}`]);
  });

  it('use defaults that change later', async () => {
    client.defaults.headers.common['X-Later'] = '1';
    client.defaults.adapter = 'fetch';
    await expect(authorizationsOf(client)).resolves.toEqual([`Bearer ${token}`]);
    expect(server.last?.headers).toMatchObject({ 'x-later': '1', 'sec-fetch-mode': 'cors' });
  });
});

describe('attachK8sAuth: adapters of the caller', () => {
  it.each<[string, (instance: AxiosInstance, adapter: AxiosRequestConfig['adapter']) => AxiosRequestConfig]>([
    ['as an option', (_instance, adapter) => ({ adapter })],
    ['as a default that is set later', (instance, adapter) => ((instance.defaults.adapter = adapter), {})],
    ['in a list', (_instance, adapter) => ({ adapter: ['xhr', adapter as never] })],
  ])('get the token in the headers: %s', async (_name, use) => {
    const seen: unknown[] = [];
    const adapter: AxiosRequestConfig['adapter'] = (config) => {
      seen.push(config.headers.get('Authorization'));
      return Promise.resolve({ data: 'made up', status: 200, statusText: 'OK', headers: {}, config });
    };
    const { data, config } = await client.get<string>('/', use(client, adapter));
    expect([data, seen]).toEqual(['made up', [`Bearer ${token}`]]);
    expect(config.headers.has('Authorization')).toBe(false);
  });

  it('may pass the request to an adapter of axios', async () => {
    const adapter: AxiosRequestConfig['adapter'] = (config) => axios.getAdapter('http')(config);
    await expect(authorizationsOf(client, { adapter })).resolves.toEqual([`Bearer ${token}`]);
  });

  it.each(['http', 'fetch'] as const)('may set other credentials, or remove them: %s', async (name) => {
    const withHeader =
      (value: string | undefined): AxiosRequestConfig['adapter'] =>
      (config) => {
        config.headers.delete('Authorization');
        if (value !== undefined) config.headers.set('Authorization', value);
        return axios.getAdapter(name, config)(config);
      };
    await expect(authorizationsOf(client, { adapter: withHeader('Basic mine') })).resolves.toEqual([
      'Basic mine',
    ]);
    await expect(authorizationsOf(client, { adapter: withHeader(undefined) })).resolves.toEqual([undefined]);
  });
});

describe('attachK8sAuth: mocks in a test', () => {
  it.each([
    ['nothing', undefined],
    ['an empty object', {}],
    ['verbs alone', { get: () => undefined }],
    ['interceptors without request', { interceptors: {} }],
    ['interceptors that do nothing', { interceptors: { request: { use: () => 0 } } }],
  ])('are not changed: %s', (_name, instance) => {
    expect(() => attachK8sAuth(instance as never, tokenSource)).not.toThrow();
  });

  it('may be a token source with only getToken', async () => {
    const instance = axios.create();
    attachK8sAuth(instance, { getToken: () => Promise.resolve('made-up') });
    server.answer = (_arrival, response) => response.writeHead(401).end();
    await expect(authorizationsOf(instance, { validateStatus: null })).resolves.toEqual(['Bearer made-up']);
  });
});

describe('attachK8sAuth: an instance of the CommonJS copy of axios', () => {
  const copy = createRequire(import.meta.url)('axios') as typeof axios;

  it('gets errors and headers of that copy', async () => {
    expect(copy.AxiosError).not.toBe(axios.AxiosError);
    const instance = copy.create({ baseURL: server.origin() });
    attachK8sAuth(instance, tokenSource);
    await expect(authorizationsOf(instance)).resolves.toEqual([`Bearer ${token}`]);

    server.answer = (_arrival, response) => response.writeHead(500).end();
    const failed: unknown = await instance.get('/').catch((reason: unknown) => reason);
    expect(failed).toBeInstanceOf(copy.AxiosError);
    expect(failed).not.toBeInstanceOf(axios.AxiosError);

    const controller = new AbortController();
    server.answer = () => controller.abort();
    const cancelled: unknown = await instance
      .get('/', { signal: controller.signal })
      .catch((reason: unknown) => reason);
    expect(cancelled).toBeInstanceOf(copy.CanceledError);
    expect(copy.isCancel(cancelled)).toBe(true);
  });

  it.each(['http', 'fetch'])('also gets them while the token file is read: %s', async (adapter) => {
    const never = new Promise<never>(() => {});
    const instance = copy.create({ baseURL: server.origin(), adapter });
    attachK8sAuth(instance, { getToken: () => never });
    const late: unknown = await instance.get('/', { timeout: 5 }).catch((reason: unknown) => reason);
    expect(late).toBeInstanceOf(copy.AxiosError);
    const signal = AbortSignal.timeout(5);
    const cancelled: unknown = await instance.get('/', { signal }).catch((reason: unknown) => reason);
    expect(cancelled).toBeInstanceOf(copy.CanceledError);
  });
});

describe('attachK8sAuth: an instance of a copy of axios that the library does not find', () => {
  it.each(['http', 'fetch'])('sends the token, and shows it nowhere: %s', async (adapter) => {
    const instance = axios.create({ baseURL: server.origin(), adapter });
    // The copy is recognized by this class.
    Object.defineProperty(instance.interceptors.request, 'constructor', { value: class OtherCopy {} });
    attachK8sAuth(instance, tokenSource);
    // The second request is sent when the search for the copy has ended.
    await expect(authorizationsOf(instance)).resolves.toEqual([`Bearer ${token}`]);
    await expect(authorizationsOf(instance)).resolves.toEqual([`Bearer ${token}`]);
    expectNoToken(await instance.get('/'), token);
    server.answer = (_arrival, response) => response.writeHead(500).end();
    expectNoToken(await failureOf(instance.get('/')), token);
  });
});
