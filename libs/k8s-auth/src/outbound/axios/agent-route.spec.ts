import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import http from 'node:http';
import { Readable } from 'node:stream';
import { type DestinationServer, type ListedServer, OutboundBench } from './outbound.fixture.js';
import { expectNoToken } from './secrecy.fixture.js';

const originalRequest = http.request;

let bench: OutboundBench;
let listed: ListedServer;
let server: DestinationServer;
let bearer: string;

beforeEach(async () => {
  bench = new OutboundBench();
  listed = await bench.listedServer('service2.mytest.svc');
  ({ server } = listed);
  bearer = `Bearer ${listed.token}`;
});

afterEach(async () => {
  http.request = originalRequest;
  await bench.close();
});

/** The `Authorization` header of each call of a function that replaces `http.request`. */
function replaceRequestFunction(send: typeof http.request = originalRequest): (string | undefined)[] {
  const seen: (string | undefined)[] = [];
  http.request = ((...args: Parameters<typeof http.request>) => {
    const { headers } = args[0] as unknown as { headers: Record<string, string | undefined> };
    seen.push(headers['Authorization']);
    return send(...args);
  }) as typeof http.request;
  return seen;
}

/** Sends requests until the function that sends them has handed one to an agent of the library. */
async function makeKnown(client: AxiosInstance): Promise<void> {
  await client.get('/known');
  server.arrivals.length = 0;
}

describe('the header in the visible request', () => {
  it('is there only until the function has handed a request to an agent', async () => {
    const seen = replaceRequestFunction();
    for (let request = 0; request < 3; request++) await listed.client.get('/');
    expect(seen).toEqual([bearer, undefined, undefined]);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([bearer, bearer, bearer]);
  });

  it('is there each time for a tool that sends requests without an agent', async () => {
    await makeKnown(listed.client);
    const seen = replaceRequestFunction(((options: object, answer: never) =>
      originalRequest(
        { ...options, agent: new http.Agent(), agents: undefined } as object,
        answer,
      )) as never);
    for (let request = 0; request < 2; request++) await listed.client.get('/');
    expect(seen).toEqual([bearer, bearer]);
    http.request = originalRequest;
    await listed.client.get('/');
    expect(server.last?.authorization).toBe(bearer);
  });

  it('is there from then on, if a known function has sent a request without an agent', async () => {
    let usesAgent = true;
    const seen = replaceRequestFunction(((options: object, answer: never) =>
      originalRequest(usesAgent ? options : { ...options, agent: new http.Agent() }, answer)) as never);
    await listed.client.get('/');
    usesAgent = false;
    await listed.client.get('/');
    usesAgent = true;
    for (let request = 0; request < 3; request++) await listed.client.get('/');
    expect(seen).toEqual([bearer, undefined, bearer, bearer, bearer]);
  });

  it('is there from then on, if a known function has added another header', async () => {
    const seen = replaceRequestFunction(((options: { headers: object }, answer: never) =>
      originalRequest(
        { ...options, headers: { Authorization: 'Basic default', ...options.headers } },
        answer,
      )) as never);
    for (let request = 0; request < 4; request++) await listed.client.get('/');
    expect(seen).toEqual([bearer, undefined, bearer, bearer]);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([
      bearer,
      'Basic default',
      bearer,
      bearer,
    ]);
  });

  it('is left out before the response to the first request has arrived', async () => {
    await makeKnown(listed.client);
    const seen = replaceRequestFunction();
    await Promise.all([1, 2, 3].map(() => listed.client.get('/')));
    expect(seen).toEqual([bearer, undefined, undefined]);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([bearer, bearer, bearer]);
  });

  it('is left out for another instance, and is present for another destination', async () => {
    const other = await bench.listedServer('service3.mytest.svc');
    const another = bench.client(listed.tokenSource);
    // With its first request an instance finds the copy of axios that it belongs to.
    for (const { client } of [listed, other, { client: another }]) await client.get(listed.origin);
    const seen = replaceRequestFunction();
    await listed.client.get('/');
    await another.get(listed.origin);
    await other.client.get('/');
    expect(seen).toEqual([bearer, undefined, `Bearer ${other.token}`]);
  });
});

it('an Authorization header of the caller is sent unchanged', async () => {
  await makeKnown(listed.client);
  await listed.client.get('/', { headers: { authorization: 'Basic abc' } });
  expect(server.last?.authorization).toBe('Basic abc');
});

type Scenario = readonly [
  name: string,
  config: () => AxiosRequestConfig,
  /** Whether the token arrived, for each request at the destination. */
  tokens: readonly boolean[],
];

const scenarios: readonly Scenario[] = [
  ['a request', () => ({ url: '/' }), [true]],
  ['a body', () => ({ url: '/', method: 'post', data: { a: 1 } }), [true]],
  ['a stream as a body', () => ({ url: '/', method: 'put', data: Readable.from(['a', 'b']) }), [true]],
  ['a stream as a response', () => ({ url: '/', responseType: 'stream' }), [true]],
  ['a failed request', () => ({ url: '/500' }), [true]],
  ['a response that is cut off', () => ({ url: '/cut' }), [true]],
  ['a cancelled request', () => ({ url: '/', signal: AbortSignal.abort() }), []],
  ['a redirect within the origin', () => ({ url: '/to?/end' }), [true, true]],
  ['a redirect to another host', () => ({ url: '/to?//other.test:PORT/end' }), [true, false]],
  ['a redirect away and back', () => ({ url: '/to?//other.test:PORT/back' }), [true, false, false]],
  ['no redirects', () => ({ url: '/to?/end', maxRedirects: 0 }), [true]],
  [
    'Expect: 100-continue',
    () => ({ url: '/', method: 'post', data: 'a', headers: { Expect: '100-continue' } }),
    [true],
  ],
];

describe.each([
  ['visible', () => void replaceRequestFunction()],
  ['not visible', () => makeKnown(listed.client)],
])('with a header that is %s', (_name, prepare) => {
  beforeEach(async () => {
    server.answer = ({ url }, response) => {
      const port = new URL(listed.origin).port;
      const location = /^\/to\?(.*)/.exec(url)?.[1] ?? (url === '/back' ? `${listed.origin}/end` : undefined);
      if (location !== undefined) response.writeHead(302, { location: location.replace('PORT', port) }).end();
      else if (url === '/cut')
        response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy());
      else response.writeHead(url === '/500' ? 500 : 200).end('ok');
    };
    await prepare();
  });

  it.each(scenarios)(
    '%s sends the token to its origin only and shows it nowhere',
    async (_name, configFor, tokens) => {
      const outcome: unknown = await listed.client.request(configFor()).catch((error: unknown) => error);
      expectNoToken(outcome, listed.token);
      const expected = tokens.map((hasToken) => (hasToken ? bearer : undefined));
      expect(server.arrivals.map(({ authorization }) => authorization)).toEqual(expected);
    },
  );

  it('a token that was replaced is sent once more', async () => {
    await listed.tokenSource.getToken(listed.origin);
    const next = await bench.mint.mint();
    server.answer = ({ authorization }, response) =>
      response.writeHead(authorization === `Bearer ${next}` ? 200 : 401).end();
    listed.volume.write(next);
    const response = await listed.client.post('/', 'body');
    expect(response.status).toBe(200);
    expectNoToken(response, next);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([bearer, `Bearer ${next}`]);
  });

  it.each([
    ['a Blob', () => new Blob(['hello'], { type: 'text/plain' })],
    [
      'a FormData',
      () => {
        const form = new FormData();
        form.set('greeting', 'hello');
        return form;
      },
    ],
  ])('a token that was replaced is sent once more with %s', async (_name, body) => {
    await listed.tokenSource.getToken(listed.origin);
    const next = await bench.mint.mint();
    server.answer = ({ authorization }, response) =>
      response.writeHead(authorization === `Bearer ${next}` ? 200 : 401).end();
    listed.volume.write(next);
    await listed.client.post('/', body());
    const [first, second] = server.arrivals.map((arrival) => ({
      body: arrival.body.replace(/axios-[-.\w]+/g, ''),
      length: arrival.headers['content-length'],
      type: arrival.headers['content-type']?.replace(/boundary=.*/, ''),
    }));
    expect(first?.body).toContain('hello');
    expect(second).toEqual(first);
  });

  it('the headers of the config are those that plain axios shows', async () => {
    const { config } = await listed.client.post('/', { a: 1 });
    const plain = await axios.post(server.origin(), { a: 1 });
    expect(config.headers.toJSON()).toEqual(plain.config.headers.toJSON());
  });
});
