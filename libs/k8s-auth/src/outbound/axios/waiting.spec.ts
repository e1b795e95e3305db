import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosRequestConfig, CanceledError } from 'axios';
import { readTokenFile, type TokenFileContent } from '../../token-file/token-file.js';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { type ListedServer, OutboundBench } from './outbound.fixture.js';
import { failureOf } from './secrecy.fixture.js';

describe('a request that ends while the token file is read', () => {
  let bench: OutboundBench;
  let listed: ListedServer;
  let controller: AbortController;
  /** Lets go of the reads that wait. */
  let release: () => void;
  /** A read has begun to wait. */
  let reading: Promise<void>;

  beforeEach(async () => {
    bench = new OutboundBench();
    listed = await bench.listedServer();
    controller = new AbortController();
  });
  afterEach(() => bench.close());

  /** A client whose reads hang from the given one on, as on a file system that does not answer. */
  function clientHangingFrom(first: number) {
    const { origin, volume } = listed;
    const released = new Promise<void>((resolve) => (release = resolve));
    let reads = 0;
    let begin = () => {};
    reading = new Promise((resolve) => (begin = resolve));
    const read = async (file: string): Promise<TokenFileContent> => {
      if (++reads >= first) {
        begin();
        await released;
      }
      return readTokenFile(file);
    };
    const destinations = [{ origin, tokenFile: volume.file }];
    const { clock, log } = bench;
    return bench.client(new K8sAuthTokenSource(destinations, { clock, log, read }), { baseURL: origin });
  }

  it('ends when its signal aborts, with the error of axios, and sends nothing', async () => {
    const answer = clientHangingFrom(1).get('/', { signal: controller.signal });
    await reading;
    controller.abort();
    const error: unknown = await answer.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CanceledError);
    expect(error).toMatchObject({ code: 'ERR_CANCELED', config: { url: '/' } });
    expect(axios.isCancel(error)).toBe(true);
    release();
    expect(listed.server.arrivals).toHaveLength(0);
  });

  it('does not wait when its signal was aborted before', async () => {
    controller.abort();
    const answer = clientHangingFrom(1).get('/', { signal: controller.signal });
    await expect(answer).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  });

  it('also ends while the file is read again after a 401', async () => {
    const next = await bench.mint.mint();
    listed.server.answer = (_arrival, response) => {
      listed.volume.write(next);
      response.writeHead(401).end();
    };
    const answer = clientHangingFrom(2).get('/', { signal: controller.signal });
    await reading;
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    expect(listed.server.arrivals).toHaveLength(1);
  });

  it('does not end other requests that wait for the same read', async () => {
    const client = clientHangingFrom(1);
    const aborted = client.get('/', { signal: controller.signal });
    const other = client.get('/other', { signal: new AbortController().signal });
    await reading;
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    release();
    expect((await other).status).toBe(200);
    expect(listed.server.arrivals.map(({ url }) => url)).toEqual(['/other']);
  });

  it('ends when its cancel token is cancelled, with the error of that token', async () => {
    const { token, cancel } = axios.CancelToken.source();
    const answer = clientHangingFrom(1).get('/', { cancelToken: token });
    await reading;
    cancel('enough');
    await expect(answer).rejects.toBe(token.reason);
    expect(token.reason).toMatchObject({ message: 'enough', code: 'ERR_CANCELED' });
    release();
    expect(listed.server.arrivals).toHaveLength(0);
  });

  it.each<[string, AxiosRequestConfig, object]>([
    ['as usual', {}, { code: 'ECONNABORTED', message: 'timeout of 20ms exceeded' }],
    ['clearly', { transitional: { clarifyTimeoutError: true } }, { code: 'ETIMEDOUT' }],
    ['in words of the caller', { timeoutErrorMessage: 'too late' }, { message: 'too late' }],
    ['by the fetch adapter', { adapter: 'fetch' }, { code: 'ETIMEDOUT' }],
  ])('ends after its timeout: %s', async (_name, config, expected) => {
    const error = await failureOf(clientHangingFrom(1).get('/', { timeout: 20, ...config }));
    expect(error).toMatchObject({ name: 'AxiosError', config: { url: '/', timeout: 20 }, ...expected });
    release();
    expect(listed.server.arrivals).toHaveLength(0);
  });

  it('does not delay a 401 for longer than its timeout', async () => {
    const next = await bench.mint.mint();
    listed.server.answer = (_arrival, response) => {
      listed.volume.write(next);
      response.writeHead(401).write('never ending');
    };
    const answer = clientHangingFrom(2).get('/', { timeout: 200, responseType: 'stream' });
    await expect(answer).rejects.toMatchObject({ code: 'ECONNABORTED' });
    release();
  });

  it('leaves no listener on a signal or a cancel token', async () => {
    const { token } = axios.CancelToken.source();
    const listeners: string[] = [];
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => (listeners.push('added'), add(...args)),
      removeEventListener: (...args: Parameters<typeof remove>) => (listeners.pop(), remove(...args)),
    });
    await clientHangingFrom(2).get('/', { signal, cancelToken: token });
    expect(listeners).toEqual([]);
    expect((token as unknown as { _listeners?: unknown[] })._listeners ?? []).toEqual([]);
  });
});
