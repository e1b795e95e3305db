import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import nodeFetch, { Request as NodeFetchRequest, Response as NodeFetchResponse } from 'node-fetch';
import { Readable } from 'node:stream';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';
import { expectNoToken, failureOf } from './secrecy.fixture.js';
import { type Fetch } from '../fetch/follow-redirects.js';

let bench: OutboundBench;
let home: DestinationServer;
let elsewhere: DestinationServer;
let origin: string;
let token: string;
let client: AxiosInstance;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server: home, origin, token, client } = await bench.listedServer());
  elsewhere = await bench.server();
});

afterEach(() => bench.close());

type Env = AxiosRequestConfig['env'];

/** Keeps what it is given across origins, as node-fetch 2 does towards subdomains and others do everywhere. */
const forgetful: Fetch = async (input, init) => {
  const request = new Request(input, init);
  const authorization = request.headers.get('authorization');
  let response = await fetch(request, { redirect: 'manual' });
  while (response.headers.has('location') && request.redirect === 'follow') {
    const headers: Record<string, string> = authorization === null ? {} : { authorization };
    const location = new URL(response.headers.get('location') ?? '', response.url);
    response = await fetch(location, { headers, redirect: 'manual' });
  }
  return response;
};

const implementations: [name: string, env: Env][] = [
  ["Node's own", undefined],
  ['a function around it', { fetch: (input, init) => fetch(input, init) }],
  ['one without a Request', { fetch: (input, init) => fetch(input, init), Request: null as never }],
  ['one that keeps credentials across origins', { fetch: forgetful }],
  [
    'node-fetch',
    {
      fetch: nodeFetch as unknown as Fetch,
      Request: NodeFetchRequest as never,
      Response: NodeFetchResponse as never,
    },
  ],
];

/** `/start` redirects to `location`; everything else is answered. */
function redirectStart(server: DestinationServer, status: number, location: string): void {
  server.answer = ({ url }, response) =>
    url === '/start' ? response.writeHead(status, { location }).end() : response.end('arrived');
}

describe.each(implementations)('a fetch that follows redirects with a token: %s', (name, env) => {
  const config: AxiosRequestConfig = { adapter: 'fetch', ...(env && { env }), responseType: 'text' };

  it('keeps the token within the origin', async () => {
    redirectStart(home, 302, '/end');
    const response = await client.get<string>('/start', config);
    expect(response.data).toBe('arrived');
    expect(home.arrivals.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['/start', `Bearer ${token}`],
      ['/end', `Bearer ${token}`],
    ]);
    expectNoToken(response, token);
  });

  it('drops the token for another origin, and does not add it again when a redirect leads back', async () => {
    redirectStart(home, 302, `${elsewhere.origin()}/start`);
    redirectStart(elsewhere, 302, `${origin}/end`);
    await client.get('/start', { ...config, headers: { Cookie: 'a=1', 'X-Mine': '1' } });
    expect(home.arrivals.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['/start', `Bearer ${token}`],
      ['/end', undefined],
    ]);
    expect(elsewhere.last?.headers).toMatchObject({ 'x-mine': '1' });
    expect(elsewhere.last?.headers).not.toHaveProperty('authorization');
    expect(elsewhere.last?.headers).not.toHaveProperty('cookie');
  });

  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'PUT', 'PUT'],
    [301, 'PUT', 'PUT'],
  ])('follows a %i of a %s with a %s', async (status, method, next) => {
    redirectStart(home, status, '/end');
    await client.request({ ...config, url: '/start', method, data: 'body' });
    expect(home.last).toMatchObject({ method: next, url: '/end', body: next === 'GET' ? '' : 'body' });
    expect('content-type' in (home.last?.headers ?? {})).toBe(next !== 'GET');
  });

  it('sends bytes and forms again after 307', async () => {
    redirectStart(home, 307, '/end');
    const form = new FormData();
    form.append('a', 'in the form');
    const blobs = name === 'node-fetch' ? [] : [new Blob(['blob']), form];
    for (const body of [Buffer.from('bytes'), ...blobs]) await client.post('/start', body, config);
    const bodies = home.arrivals.filter(({ url }) => url === '/end').map(({ body }) => body);
    expect(bodies).toHaveLength(1 + blobs.length);
    expect(bodies[0]).toBe('bytes');
    expect(bodies.join()).toContain(blobs.length > 0 ? 'in the form' : '');
  });

  it('sends the right boundary with the form that it sends again after 307', async () => {
    if (name === 'node-fetch') return;
    redirectStart(home, 307, '/end');
    const form = new FormData();
    form.append('a', 'in the form');
    for (const limit of [undefined, 1e6]) {
      await client.post('/start', form, { ...config, ...(limit && { maxBodyLength: limit }) });
      const [, boundary = 'none'] = /boundary=(.+)$/.exec(home.last?.headers['content-type'] ?? '') ?? [];
      expect(home.last?.body.startsWith(`--${boundary}\r\n`)).toBe(true);
    }
  });

  it('keeps no copy of an upload for a possible redirect', async () => {
    const copies = [jest.spyOn(Request.prototype, 'clone'), jest.spyOn(NodeFetchRequest.prototype, 'clone')];
    try {
      redirectStart(home, 307, '/end');
      await client.put('/start', Buffer.alloc(200_000, 'x'), config);
      expect(home.last?.body).toHaveLength(200_000);
      for (const copy of copies) expect(copy).not.toHaveBeenCalled();
    } finally {
      for (const copy of copies) copy.mockRestore();
    }
  });

  it('follows no more redirects than maxRedirects allows', async () => {
    home.answer = ({ url }, response) =>
      response.writeHead(302, { location: `/${Number(url.slice(1)) + 1}` }).end();
    const error = await failureOf(client.get('/0', { ...config, maxRedirects: 3 }));
    expect(error.code).toBe('ERR_NETWORK');
    expect(home.arrivals.map(({ url }) => url)).toEqual(['/0', '/1', '/2', '/3']);
    expectNoToken(error, token);
  });

  it('returns a redirect to the caller with maxRedirects 0', async () => {
    redirectStart(home, 302, `${elsewhere.origin()}/end`);
    const { status } = await client.get('/start', { ...config, maxRedirects: 0, validateStatus: null });
    expect(status).toBe(302);
    expect(elsewhere.arrivals).toHaveLength(0);
  });

  it('does not follow a redirect to another scheme than http or https', async () => {
    redirectStart(home, 302, 'ftp://127.0.0.1/');
    expectNoToken(await failureOf(client.get('/start', config)), token);
  });

  it('is called unchanged for other origins', async () => {
    redirectStart(elsewhere, 302, `${origin}/end`);
    await client.get<string>(`${elsewhere.origin()}/start`, config);
    expect(home.last).toMatchObject({ url: '/end', authorization: undefined });
  });

  it('repeats a request only after a 401 of its own origin', async () => {
    home.answer = (_arrival, response) => response.writeHead(302, { location: elsewhere.origin() }).end();
    elsewhere.answer = (_arrival, response) => response.writeHead(401).end();
    const error = await failureOf(client.get('/start', config));
    expect(error.status).toBe(401);
    expect(home.arrivals).toHaveLength(1);
  });
});

describe('a fetch that cannot be trusted with a token', () => {
  it.each<[string, Fetch]>([
    [
      'it follows redirects whatever it is told',
      (input, init) => fetch(input, { ...init, redirect: 'follow' }),
    ],
    [
      'it says nothing but the last URL',
      async (input, init) => {
        const response = await fetch(input, { ...init, redirect: 'follow' });
        return new Proxy(response, {
          get: (target, key) => (key === 'redirected' ? false : (Reflect.get(target, key) as unknown)),
        });
      },
    ],
  ])('fails the request: %s', async (_name, implementation) => {
    redirectStart(home, 302, '/end');
    const error = await failureOf(client.get('/start', { adapter: 'fetch', env: { fetch: implementation } }));
    expect(error.message).toContain('redirect');
    expectNoToken(error, token);
  });

  it('fails the request when it hides the location', async () => {
    redirectStart(home, 302, '/end');
    const hiding: Fetch = async (input, init) => {
      const response = await fetch(input, init);
      return new Proxy(response, {
        get: (target, key) =>
          key === 'type' && target.status === 302 ? 'opaqueredirect' : (Reflect.get(target, key) as unknown),
      });
    };
    const error = await failureOf(client.get('/start', { adapter: 'fetch', env: { fetch: hiding } }));
    expect(error.code).toBe('ERR_NETWORK');
  });
});

describe('a redirect with a body that was a stream', () => {
  it.each([
    [307, false],
    [303, true],
  ])('with %i results in: %s', async (status, arrives) => {
    redirectStart(home, status, '/end');
    const answer = client.put<string>('/start', Readable.from(['once']), { adapter: 'fetch' });
    await expect(answer.then(({ data }) => data === 'arrived').catch(() => false)).resolves.toBe(arrives);
  });
});

describe('`redirect` in fetchOptions', () => {
  it.each([
    ['manual', 302],
    ['error', undefined],
  ])('is kept: %s', async (redirect, status) => {
    redirectStart(home, 302, '/end');
    const answer = client.get('/start', {
      adapter: 'fetch',
      fetchOptions: { redirect },
      validateStatus: null,
    });
    await expect(answer.then((response) => response.status).catch(() => undefined)).resolves.toBe(status);
    expect(home.arrivals).toHaveLength(1);
  });
});
