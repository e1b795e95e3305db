import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, {
  type AxiosInstance,
  type AxiosRequestConfig,
  CanceledError,
  type InternalAxiosRequestConfig,
} from 'axios';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type Readable } from 'node:stream';
import { until } from '../../../test-support/until.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';
import { expectNoToken, failureOf, pathsTo } from './secrecy.fixture.js';

let bench: OutboundBench;
let server: DestinationServer;
let token: string;
let client: AxiosInstance;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, token, client } = await bench.listedServer());
});

afterEach(() => bench.close());

const adapters = ['http', 'fetch'];

describe.each(adapters)('responses of the %s adapter', (adapter) => {
  it('carry no token, but the rest of their request', async () => {
    const response = await client.get<string>('/orders?x=1', { adapter });
    expectNoToken(response, token);
    expect(response.data).toBe('ok');
    const { method, path, url } = response.request as Record<string, string>;
    expect(method).toBe('GET');
    expect(adapter === 'http' ? path : url?.replace(server.origin(), '')).toBe('/orders?x=1');
    expect(response.config.headers.get('Accept')).toContain('application/json');
    expect(response.config.proxy).toBeUndefined();
    expect(response.config.beforeRedirect).toBeUndefined();
  });

  it('carry no token when they are streams, whose bytes are unchanged', async () => {
    server.answer = (_arrival, response) => response.write('one ', () => response.end('two'));
    const { data, ...response } = await client.get<Readable>('/', { adapter, responseType: 'stream' });
    expectNoToken([response, data], token);
    const chunks: Buffer[] = [];
    for await (const chunk of data as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).toString()).toBe('one two');
  });

  it('carry no token in the error of a stream', async () => {
    server.answer = (_arrival, response) =>
      response.write('x'.repeat(60), () => response.write('x'.repeat(60)));
    const { data } = await client.get<Readable>('/', {
      adapter,
      responseType: 'stream',
      maxContentLength: 50,
    });
    const read = async () => {
      for await (const _chunk of data as AsyncIterable<Uint8Array>);
    };
    const error = await failureOf(read());
    expect(error.message).toContain('maxContentLength');
    expectNoToken(error, token);
  });
});

describe('responses', () => {
  it('state their URL after redirects', async () => {
    server.answer = ({ url }, response) =>
      url === '/start' ? response.writeHead(302, { location: '/end' }).end() : response.end();
    const response = await client.get('/start');
    expect(response.request).toMatchObject({ path: '/end', res: { responseUrl: `${server.origin()}/end` } });
  });

  it('that are streams close their connection when they are destroyed', async () => {
    let hasClosed: () => void = () => {};
    const closed = new Promise<void>((resolve) => (hasClosed = resolve));
    server.answer = (_arrival, response) => void response.once('close', hasClosed).write('never ending');
    const { data } = await client.get<Readable>('/', { responseType: 'stream' });
    data.destroy();
    await expect(closed).resolves.toBeUndefined();
  });

  it('that are streams fail without the token when the signal aborts', async () => {
    const controller = new AbortController();
    server.answer = (_arrival, response) => void response.write('never ending');
    const { data } = await client.get<Readable>('/', { responseType: 'stream', signal: controller.signal });
    const failed = once(data, 'error');
    controller.abort();
    const [error] = (await failed) as [unknown];
    expect(error).toBeInstanceOf(CanceledError);
    expectNoToken(error, token);
  });

  it('do not show the requests under way on a kept-alive agent', async () => {
    const httpAgent = new Agent({ keepAlive: true });
    let release: () => void = () => {};
    server.answer = ({ url }, response) => {
      if (url === '/slow') release = () => response.end();
      else response.writeHead(500).end();
    };
    const slow = client.get('/slow', { httpAgent });
    const error = await failureOf(client.get('/', { httpAgent }));
    expectNoToken(error, token);
    expect(error.config?.httpAgent).toBe(httpAgent);
    await until(() => server.arrivals.length === 2);
    release();
    await slow;
    httpAgent.destroy();
  });
});

describe('requests without a token of this service', () => {
  it('keep the original request object', async () => {
    const own = await client.get('/', { headers: { authorization: 'Basic mine' } });
    expect(own.request).toHaveProperty('agent');
    const other = await axios.get(server.origin());
    expect(other.request).toHaveProperty('agent');
  });
});

describe('the config of a request in flight, which an interceptor has kept', () => {
  it.each<[string, AxiosRequestConfig]>([
    ['with the http adapter', {}],
    ['without redirects', { maxRedirects: 0 }],
    ['with the fetch adapter', { adapter: 'fetch' }],
    ['with a form', { method: 'post', data: { a: 'b' }, headers: { 'Content-Type': 'multipart/form-data' } }],
  ])('carries no token: %s', async (_name, config) => {
    let kept: InternalAxiosRequestConfig | undefined;
    client.interceptors.request.use((config) => (kept = config));
    let inFlight: unknown;
    server.answer = (_arrival, response) => {
      inFlight = pathsTo(token, kept);
      response.end();
    };
    const response = await client.request({ url: '/', ...config });
    expect(inFlight).toEqual([]);
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
    expectNoToken(response, token);
  });
});
