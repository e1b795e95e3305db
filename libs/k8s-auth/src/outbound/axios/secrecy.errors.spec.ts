import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AxiosInstance, type AxiosRequestConfig, CanceledError } from 'axios';
import { inspect } from 'node:util';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';
import { expectNoToken, failureOf } from './secrecy.fixture.js';

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

describe.each(adapters)('errors of the %s adapter carry no token', (adapter) => {
  it.each([401, 404, 500])('for a response with status %i, and keep their other fields', async (status) => {
    server.answer = (_arrival, response) =>
      response.writeHead(status, { 'content-type': 'application/json', 'x-id': '7' }).end('{"reason":"no"}');
    const error = await failureOf(client.get('/orders?x=1', { adapter }));
    expectNoToken(error, token);
    expect(error).toMatchObject({
      name: 'AxiosError',
      code: status < 500 ? 'ERR_BAD_REQUEST' : 'ERR_BAD_RESPONSE',
      status,
      config: { url: '/orders?x=1', method: 'get' },
      response: { status, data: { reason: 'no' }, headers: { 'x-id': '7' } },
    });
    expect((error.request as { method: string }).method).toBe('GET');
    expect(error.config?.beforeRedirect).toBeUndefined();
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
  });

  it('for a refused connection', async () => {
    await server.close();
    const error = await failureOf(client.get('/', { adapter }));
    expectNoToken(error, token);
    expect(inspect(error, { depth: Infinity })).toContain('ECONNREFUSED');
  });

  it('for a reset connection', async () => {
    server.answer = (_arrival, response) => response.destroy();
    expectNoToken(await failureOf(client.get('/', { adapter })), token);
  });

  it('for a timeout', async () => {
    server.answer = () => {};
    const error = await failureOf(client.get('/', { adapter, timeout: 1 }));
    expectNoToken(error, token);
    expect(error.code).toBe(adapter === 'http' ? 'ECONNABORTED' : 'ETIMEDOUT');
  });

  it('for a cancelled request', async () => {
    const controller = new AbortController();
    server.answer = () => controller.abort();
    const error = await failureOf(client.get('/', { adapter, signal: controller.signal }));
    expect(error).toBeInstanceOf(CanceledError);
    expectNoToken(error, token);
  });

  it('for a response that is too long', async () => {
    server.answer = (_arrival, response) =>
      response.write('x'.repeat(100), () => response.end('x'.repeat(100)));
    const error = await failureOf(client.get('/', { adapter, maxContentLength: 50 }));
    expectNoToken(error, token);
    expect(error.message).toContain('maxContentLength');
  });

  it('for a truncated response', async () => {
    server.answer = (_arrival, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy());
    };
    expectNoToken(await failureOf(client.get('/', { adapter })), token);
  });

  it('for a response that is not JSON', async () => {
    const transitional = { silentJSONParsing: false };
    expectNoToken(await failureOf(client.get('/', { adapter, responseType: 'json', transitional })), token);
  });
});

describe('errors of redirects carry no token', () => {
  it('for too many redirects', async () => {
    server.answer = (_arrival, response) => response.writeHead(302, { location: '/' }).end();
    const error = await failureOf(client.get('/', { maxRedirects: 2 }));
    expect(error.code).toBe('ERR_FR_TOO_MANY_REDIRECTS');
    expectNoToken(error, token);
  });

  it('for a redirect to an unreachable server', async () => {
    server.answer = (_arrival, response) => response.writeHead(302, { location: 'ftp://x/' }).end();
    expectNoToken(await failureOf(client.get('/')), token);
  });
});

describe('an adapter that puts the token everywhere', () => {
  it('gets the token removed from its errors, including causes and lists', async () => {
    const adapter = (config: AxiosRequestConfig) => {
      const quote = `sent ${String(config.headers?.['Authorization'])}`;
      const cause = Object.assign(new AggregateError([new Error(quote)], quote), {
        config,
        request: { quote },
      });
      cause.cause = cause;
      const error = Object.assign(new Error(quote, { cause }), { note: quote, request: 'text', config });
      return Promise.reject(error);
    };
    const error: unknown = await client.get('/', { adapter }).catch((reason: unknown) => reason);
    const text = inspect(error, { depth: Infinity, showHidden: true });
    expect(text).not.toContain(token);
    expect(text).toContain('sent Bearer [token]');
  });

  it('may reject with a value that is not an error', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- some do
    await expect(client.get('/', { adapter: () => Promise.reject('no') })).rejects.toBe('no');
  });
});
