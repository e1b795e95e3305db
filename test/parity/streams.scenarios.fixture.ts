import FormDataPackage from 'form-data';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { describeError, outcomeOf, stateOf, watchStream } from './observation.fixture.js';
import { type Answer, type Call, type Scenario } from './scenario.fixture.js';

const whole: Answer = (_request, response) =>
  void response.writeHead(200, { 'content-type': 'text/csv', 'content-length': '6' }).end('a,b\n1,');
const cut: Answer = (_request, response) =>
  void response.writeHead(200, { 'content-length': '100' }).write('some', () => response.destroy());
const endless: Answer = (_request, response) => void response.write('some');

/** Gets a stream and looks at what it does. */
function stream(
  name: string,
  answer: Answer,
  look: (data: Readable, call: Call) => Promise<unknown>,
  config: object = {},
): Scenario {
  return {
    name,
    adapters: ['http'],
    answer,
    run: async (call) => {
      const { data } = await call.http.get<Readable>(
        call.origin,
        call.config({ responseType: 'stream', ...config }),
      );
      return look(data, call);
    },
  };
}

const withTrailers: Answer = (_request, response) => {
  response.writeHead(200, { trailer: 'x-checksum' }).write('some');
  response.addTrailers({ 'x-checksum': '7' });
  response.end();
};
const zipped: Answer = (_request, response) => {
  response.writeHead(200, { 'content-encoding': 'gzip' });
  const zip = createGzip();
  zip.pipe(response);
  zip.write('some');
  zip.flush(() => response.destroy());
};

export const streams: readonly Scenario[] = [
  stream('a whole stream', whole, watchStream),
  stream('what a stream knows before it is read', whole, (data) => Promise.resolve(stateOf(data))),
  stream('trailers', withTrailers, watchStream),
  stream('a stream that is cut off', cut, watchStream),
  stream('an encoded stream that is cut off', zipped, watchStream),
  stream('a stream over maxContentLength', whole, watchStream, { maxContentLength: 3 }),
  stream('a stream with progress', whole, watchStream, { onDownloadProgress: () => {} }),
  stream('a stream with a rate', whole, watchStream, { maxRate: 1_000_000 }),
  stream('a stream that is destroyed', endless, (data) => {
    data.once('data', () => data.destroy());
    return watchStream(data);
  }),
  stream('a stream that is destroyed with an error', endless, (data) => {
    data.once('data', () => data.destroy(new RangeError('enough')));
    return watchStream(data);
  }),
  stream('a stream that is iterated', whole, async (data) => {
    const chunks: string[] = [];
    for await (const chunk of data) chunks.push(String(chunk));
    return [chunks, stateOf(data)];
  }),
  stream('a stream that is cut off while it is iterated', cut, async (data) => {
    try {
      for await (const _chunk of data);
      return 'no error';
    } catch (error) {
      return describeError(error);
    }
  }),
  stream('a pipeline that is cut off', cut, async (data) => {
    const target = new PassThrough().resume();
    const error = await new Promise((resolve) => pipeline(data, target, resolve));
    return [describeError(error), target.destroyed, data.destroyed];
  }),
  stream('a pipe that is cut off', cut, async (data) => {
    const target = data.pipe(new PassThrough()).resume();
    await new Promise((resolve) => data.once('close', resolve));
    return [target.destroyed, target.writableEnded, stateOf(data)];
  }),
  stream('a stream whose error comes before the listener', cut, async (data) => {
    data.resume();
    await new Promise((resolve) => data.once('close', resolve));
    return [data.errored && describeError(data.errored), stateOf(data)];
  }),
  stream('a stream that nobody reads for a while', whole, async (data) => {
    await new Promise((resolve) => setImmediate(resolve));
    return [data.readableFlowing, data.readableLength, await watchStream(data)];
  }),
  {
    name: 'a stream whose signal fires',
    adapters: ['http'],
    answer: endless,
    run: async ({ http, origin, config }) => {
      const controller = new AbortController();
      const { signal } = controller;
      const { data } = await http.get<Readable>(origin, config({ responseType: 'stream', signal }));
      const watched = watchStream(data);
      data.once('data', () => controller.abort());
      return watched;
    },
  },
  {
    name: 'a stream of an error',
    adapters: ['http'],
    answer: (_request, response) => void response.writeHead(500, { 'x-id': '7' }).end('broken'),
    run: async ({ http, origin, config }) => {
      const error = await http
        .get(origin, config({ responseType: 'stream' }))
        .catch((reason: unknown) => reason);
      return watchStream((error as { response: { data: Readable } }).response.data);
    },
  },
  {
    name: 'a download that is posted in a form',
    adapters: ['http'],
    answer: (request, response) =>
      request.method === 'POST'
        ? void response.end('taken')
        : void response
            .writeHead(200, {
              'content-type': 'text/csv',
              'content-length': '6',
              'content-disposition': 'attachment; filename="report.csv"',
            })
            .end('a,b\n1,'),
    run: async ({ http, origin, config }) => {
      const { data } = await http.get<Readable>(`${origin}/report.csv`, config({ responseType: 'stream' }));
      const form = new FormDataPackage();
      form.append('file', data);
      const length = await new Promise((resolve) => form.getLength((_error, bytes) => resolve(bytes)));
      const posted = await outcomeOf(http.post(origin, form, config()));
      return [length, (posted as { status: number }).status];
    },
  },
  {
    name: 'a web stream',
    adapters: ['fetch'],
    answer: whole,
    run: async ({ http, origin, config }) => {
      const { data } = await http.get<ReadableStream>(origin, config({ responseType: 'stream' }));
      return [data.constructor.name, await new Response(data).text()];
    },
  },
  {
    name: 'a web stream that is cut off',
    adapters: ['fetch'],
    answer: cut,
    run: async ({ http, origin, config }) => {
      const { data } = await http.get<ReadableStream>(origin, config({ responseType: 'stream' }));
      return new Response(data).text().then(String, (error: Error) => [error.name, error.message]);
    },
  },
];
