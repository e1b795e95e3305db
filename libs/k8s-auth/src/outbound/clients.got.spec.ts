import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import got, { type Got } from 'got';
import { OutboundBench, type ListedServer } from './axios/outbound.fixture.js';
import { type K8sAuthTokenSource } from './k8s-auth-token-source.js';

/** The recipe of docs/calling.md. */
function gotWithTokens(tokenSource: K8sAuthTokenSource): Got {
  return got.extend({
    followRedirect: false,
    hooks: {
      beforeRequest: [
        async ({ url, headers }) => {
          if (headers['authorization'] !== undefined || url === undefined) return;
          const token = await tokenSource.getToken(String(url));
          if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
        },
      ],
      afterResponse: [
        async (response, retryWithMergedOptions) => {
          const { authorization = '' } = response.request.options.headers;
          if (response.statusCode !== 401) return response;
          const rejected = String(authorization).replace('Bearer ', '');
          const token = await tokenSource.renewToken(response.url, rejected);
          if (token === undefined) return response;
          return retryWithMergedOptions({ headers: { authorization: `Bearer ${token}` } });
        },
      ],
    },
  });
}

describe('the recipe for got', () => {
  let bench: OutboundBench;
  let listed: ListedServer;
  let client: Got;

  beforeEach(async () => {
    bench = new OutboundBench();
    listed = await bench.listedServer();
    client = gotWithTokens(listed.tokenSource).extend({ retry: { limit: 0 }, throwHttpErrors: false });
  });

  afterEach(() => bench.close());

  const tokensSent = () =>
    listed.server.arrivals.map(({ authorization }) => authorization?.replace('Bearer ', ''));

  it('sends the token to its destination only, and not instead of own credentials', async () => {
    const elsewhere = await bench.server();
    await client(listed.origin);
    await client(elsewhere.origin());
    await client(listed.origin, { headers: { authorization: 'Basic bWluZQ==' } });
    expect(tokensSent()).toEqual([listed.token, 'Basic bWluZQ==']);
    expect(elsewhere.last?.authorization).toBeUndefined();
  });

  it('follows no redirect', async () => {
    const elsewhere = await bench.server();
    listed.server.answer = (_arrival, response) =>
      response.writeHead(302, { location: elsewhere.origin() }).end();
    expect((await client(listed.origin)).statusCode).toBe(302);
    expect(elsewhere.arrivals).toHaveLength(0);
  });

  it('repeats a request once after a 401 with the token that is now in the file', async () => {
    await client(listed.origin);
    const next = await bench.mint.mint();
    listed.volume.write(next);
    listed.server.answer = (_arrival, response) => response.writeHead(401).end();
    const { statusCode } = await client.post(listed.origin, { body: 'text' });
    expect(statusCode).toBe(401);
    expect(tokensSent()).toEqual([listed.token, listed.token, next]);
    expect(listed.server.last?.body).toBe('text');
  });
});
