import FormDataPackage from 'form-data';
import { Readable } from 'node:stream';
import { outcomeOf } from './observation.fixture.js';
import { type Call, type Scenario } from './scenario.fixture.js';

/** Posts a body that is made anew for each client. */
function post(
  name: string,
  body: () => unknown,
  config: object = {},
  more: Partial<Scenario> = {},
): Scenario {
  return {
    name,
    run: ({ http, origin, config: of }) => outcomeOf(http.post(origin, body(), of(config))),
    ...more,
  };
}

function packageForm(): FormDataPackage {
  const form = new FormDataPackage();
  form.append('a', '1');
  form.append('file', Buffer.from('bytes'), { filename: 'f.bin', contentType: 'application/x-f' });
  return form;
}

function webForm(): FormData {
  const form = new FormData();
  form.append('a', '1');
  form.append('file', new Blob(['bytes'], { type: 'application/x-f' }), 'f.bin');
  return form;
}

const bodies: readonly [name: string, body: () => unknown][] = [
  ['an object', () => ({ a: 1 })],
  ['text', () => 'plain ü'],
  ['nothing', () => undefined],
  ['null', () => null],
  ['bytes', () => Buffer.from('bytes')],
  ['a typed array', () => new Uint8Array([1, 2, 3])],
  ['an ArrayBuffer', () => new Uint8Array([1, 2, 3]).buffer],
  ['URLSearchParams', () => new URLSearchParams({ a: '1', b: 'ü' })],
  ['a Blob', () => new Blob(['blob'], { type: 'text/x-blob' })],
  ['a form of the web', webForm],
  ['a form of the package form-data', packageForm],
  ['a Readable', () => Readable.from(['once ', 'only'])],
];

export const requests: readonly Scenario[] = [
  ...bodies.flatMap(([name, body]) => [
    post(`posting ${name}`, body),
    post(`posting ${name} with progress`, body, { onUploadProgress: () => {} }),
    post(`posting ${name} with maxBodyLength`, body, { maxBodyLength: 2 }, { ignoresArrivals: true }),
  ]),
  post('an object as a form', () => ({ a: 1, list: [1, 2] }), {
    headers: { 'content-type': 'multipart/form-data' },
  }),
  post('an object as url-encoded', () => ({ a: 1 }), {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
  post('a transformRequest', () => ({ a: 1 }), {
    transformRequest: (data: unknown, headers: { set(name: string, value: string): void }) => {
      headers.set('X-Transformed', 'yes');
      return JSON.stringify({ wrapped: data });
    },
  }),
  post('a transformRequest that makes nothing to send', () => ({ a: 1 }), {
    transformRequest: () => ({ b: 2 }),
  }),
  post('a transformRequest that throws', () => ({ a: 1 }), {
    transformRequest: () => {
      throw new RangeError('no');
    },
  }),
  post('100-continue', () => 'body', { headers: { Expect: '100-continue' } }, { adapters: ['http'] }),
  post(
    'a content length of the caller',
    () => 'body',
    { headers: { 'Content-Length': '4' } },
    { adapters: ['http'] },
  ),
  post('no keep-alive', () => 'body', { httpAgent: false }, { adapters: ['http'] }),
  post('a stream that fails', () => failingStream(), {}, { ignoresArrivals: true, adapters: ['http'] }),
  {
    name: 'progress of an upload',
    run: async ({ http, origin, config }) => {
      const seen: unknown[] = [];
      const onUploadProgress = ({ loaded, upload }: { loaded: number; upload?: boolean }) =>
        seen.push({ loaded, upload });
      await http.post(origin, 'x'.repeat(10_000), config({ onUploadProgress }));
      return seen.at(-1);
    },
  },
  {
    name: 'postForm',
    run: ({ http, origin, config }) => outcomeOf(http.postForm(origin, { a: 1, b: 'x' }, config())),
  },
  {
    name: 'put, patch and a delete with a body',
    run: async ({ http, origin, config }) => [
      await outcomeOf(http.put(origin, { a: 1 }, config())),
      await outcomeOf(http.patch(origin, { a: 1 }, config())),
      await outcomeOf(http.delete(origin, config({ data: { a: 1 } }))),
    ],
  },
  ...(['post', 'get'] as const).map((method) => ({
    name: `the config that an interceptor sees of a ${method}`,
    run: async ({ http, origin, config }: Call) => {
      const seen: unknown[] = [];
      const { request, response } = http.interceptors;
      const first = request.use((config) => (seen.push(['request 1', Object.keys(config).sort()]), config));
      const second = request.use((config) => (seen.push(['request 2', { ...config.headers }]), config));
      const last = response.use(
        (answer) => (seen.push(['response', answer.status, Object.keys(answer.config).sort()]), answer),
      );
      const outcome = await outcomeOf(http.request({ url: origin, method, ...config() }));
      [first, second].forEach((id) => request.eject(id));
      response.eject(last);
      return [seen, outcome];
    },
  })),
];

function failingStream(): Readable {
  return new Readable({
    read() {
      this.destroy(new RangeError('no more'));
    },
  });
}
