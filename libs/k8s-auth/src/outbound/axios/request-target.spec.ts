import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AxiosHeaders, type AxiosRequestConfig } from 'axios';
import http from 'node:http';
import { type TokenVolume } from '../../shared/token-volume.fixture.js';
import { type K8sAuthTokenSource } from '../k8s-auth-token-source.js';
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
  it.each(['Authorization', 'authorization', 'AUTHORIZATION'])('leaves a header %s alone', async (name) => {
    await bench.client(tokenSource).get(origin, { headers: { [name]: 'Basic mine' } });
    expect(server.last?.authorization).toBe('Basic mine');
  });

  it('leaves a header of the instance alone', async () => {
    await bench.client(tokenSource, { headers: { common: { authorization: 'Basic mine' } } }).get(origin);
    expect(server.last?.authorization).toBe('Basic mine');
  });

  it('leaves a header of an interceptor alone', async () => {
    const client = bench.client(tokenSource);
    client.interceptors.request.use((config) => {
      config.headers.set('Authorization', 'Basic mine');
      return config;
    });
    await client.get(origin);
    expect(server.last?.authorization).toBe('Basic mine');
  });

  it.each([false, null])('sends none when the caller set the header to %p', async (value) => {
    const headers = new AxiosHeaders().set('Authorization', value);
    await bench.client(tokenSource).get(origin, { headers });
    expect(server.last?.authorization).toBeUndefined();
  });

  it('takes a header that is undefined for none', async () => {
    await bench.client(tokenSource).get(origin, { headers: { Authorization: undefined } });
    expect(server.last?.authorization).toBe(`Bearer ${token}`);
  });

  it('leaves `auth` alone', async () => {
    await bench.client(tokenSource).get(origin, { auth: { username: 'me', password: 'x' } });
    expect(server.last?.authorization).toBe(`Basic ${btoa('me:x')}`);
  });

  it('leaves a user name in the URL alone', async () => {
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

  it('sends none through a transport of the caller, who alone knows where that leads', async () => {
    await bench.client(tokenSource).get(origin, { transport: http });
    expect(server.last).toMatchObject({ url: '/', authorization: undefined });
  });

  it('sends none into a socket, whatever host the URL names', async () => {
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
