import { createServer } from 'node:net';
import { type AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { outcomeOf } from './observation.fixture.js';
import { type Answer, type Scenario } from './scenario.fixture.js';

function status(code: number, headers: Record<string, string | string[]> = {}, body = '{"a":1}'): Answer {
  return (_request, response) => void response.writeHead(code, headers).end(body);
}

/** A GET of `/path?x=1` with these settings. */
function get(name: string, config: object, answer?: Answer, more: Partial<Scenario> = {}): Scenario {
  return {
    name,
    run: (call) => outcomeOf(call.http.get(`${call.origin}/path?x=1`, call.config(config))),
    answer,
    ...more,
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const text = 'x'.repeat(10_000);

function encoded(encoding: string, body: Buffer): Answer {
  return (_request, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(body);
}

const cutOff: Answer = (_request, response) =>
  void response.writeHead(200, { 'content-length': '100' }).write('some', () => response.destroy());

export const answers: readonly Scenario[] = [
  ...[200, 201, 204, 304, 400, 401, 403, 404, 429, 500, 503].map((code) =>
    get(`status ${code}`, {}, status(code, JSON_TYPE, code === 204 || code === 304 ? '' : undefined)),
  ),
  ...[200, 401, 500].map((code) =>
    get(`status ${code} without validation`, { validateStatus: null }, status(code)),
  ),
  get('a custom validateStatus', { validateStatus: (code: number) => code === 500 }, status(500)),
  ...['json', 'text', 'arraybuffer', 'blob', 'stream', 'document'].map((responseType) =>
    get(`responseType ${responseType}`, { responseType }, status(200, JSON_TYPE)),
  ),
  ...['arraybuffer', 'stream'].map((responseType) =>
    get(`status 500 with responseType ${responseType}`, { responseType }, status(500, JSON_TYPE)),
  ),
  get('repeated headers', {}, status(200, { 'set-cookie': ['a=1', 'b=2'], 'x-list': ['1', '2'] })),
  get(
    'JSON that is none',
    { responseType: 'json', transitional: { silentJSONParsing: false } },
    status(200, {}, '{'),
  ),
  get('a transformResponse that throws', {
    transformResponse: () => {
      throw new RangeError('no');
    },
  }),
  get('a transformResponse that changes', { transformResponse: (data: string) => `${data}!` }),
  get('gzip', {}, encoded('gzip', gzipSync(text))),
  get('br', {}, encoded('br', brotliCompressSync(text))),
  get('deflate', {}, encoded('deflate', deflateSync(text))),
  get('gzip that is none', {}, encoded('gzip', Buffer.from('no gzip'))),
  get('gzip left alone', { decompress: false, responseType: 'arraybuffer' }, encoded('gzip', gzipSync(text))),
  get('maxContentLength', { maxContentLength: 50 }, status(200, {}, text)),
  get('responseEncoding', { responseEncoding: 'latin1' }, status(200, {}, 'ü')),
  get('params and their serializer', { params: { a: [1, 2], b: 'ü' }, paramsSerializer: { indexes: null } }),
  get('headers of the caller', { headers: { 'X-Mine': '1', 'User-Agent': 'me', Accept: 'text/plain' } }),
  get('a body that is cut off', {}, cutOff),
  get('a body that is cut off, as bytes', { responseType: 'arraybuffer' }, cutOff),
  get('a connection that is reset', {}, (_request, response) => response.destroy()),
  get(
    'a malformed answer',
    {},
    (_request, response) => void response.socket?.end('HTTP/1.1 2000 no\r\n\r\n'),
  ),
  get('a timeout', { timeout: 30 }, () => {}, { ignoresArrivals: true }),
  get('a timeout with a message', { timeout: 30, timeoutErrorMessage: 'too late' }, () => {}, {
    ignoresArrivals: true,
  }),
  get('a clear timeout', { timeout: 30, transitional: { clarifyTimeoutError: true } }, () => {}, {
    ignoresArrivals: true,
  }),
  get('a timeout that is no number', { timeout: 'soon' }, undefined, { ignoresArrivals: true }),
  get('an unknown adapter', { adapter: 'carrier-pigeon' }),
  get('HEAD', { method: 'head' }, undefined, {
    run: (call) => outcomeOf(call.http.head(`${call.origin}/path`, call.config())),
  }),
  {
    name: 'the verbs',
    run: async ({ http, origin, config }) => [
      await outcomeOf(http.delete(origin, config())),
      await outcomeOf(http.options(origin, config())),
      await outcomeOf(http.request({ ...config(), url: origin, method: 'put' })),
    ],
    answer: (request, response) => void response.end(request.method),
  },
  {
    name: 'a server that is not there',
    run: async ({ http, config }) => {
      const port = await unusedPort();
      const outcome = JSON.stringify(await outcomeOf(http.get(`http://127.0.0.1:${port}/`, config())));
      const replaced: unknown = JSON.parse(outcome.replaceAll(String(port), '(port)'));
      return replaced;
    },
  },
  ...['//127.0.0.1/x', 'http:127.0.0.1', 'not a url', '/x', 'ftp://127.0.0.1/', 'http://[::1', ''].map(
    (url) => ({
      name: `the URL ${JSON.stringify(url)}`,
      run: ({ http, config }: Parameters<Scenario['run']>[0]) => outcomeOf(http.get(url, config())),
    }),
  ),
  {
    name: 'the duration of a response',
    run: async ({ http, origin, config }) => typeof (await http.get(origin, config())).duration,
  },
  {
    name: 'progress of a download',
    run: async ({ http, origin, config }) => {
      const seen: unknown[] = [];
      const onDownloadProgress = ({
        loaded,
        total,
        download,
      }: {
        loaded: number;
        total?: number;
        download?: boolean;
      }) => seen.push({ loaded, total, download });
      await http.get(origin, config({ onDownloadProgress }));
      return seen.at(-1);
    },
    answer: status(200, { 'content-length': '10000' }, text),
  },
  {
    name: 'a kept connection',
    adapters: ['http'],
    run: async ({ http, origin, config }) => {
      await http.get(origin, config());
      const answer: { request?: { reusedSocket: boolean } } = await http.get(origin, config());
      return answer.request?.reusedSocket;
    },
  },
];

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
