import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { type AxiosError, type AxiosInstance } from 'axios';
import FormDataPackage from 'form-data';
import { type TokenVolume } from '../../token-file/token-volume.fixture.js';
import { type Arrival, type DestinationServer, OutboundBench } from './outbound.fixture.js';

let bench: OutboundBench;
let server: DestinationServer;
let volume: TokenVolume;
let old: string;
let next: string;
let client: AxiosInstance;
/** The only token that the server takes. */
let accepted: string;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server, volume, token: old, client } = await bench.listedServer());
  next = await bench.mint.mint();
  accepted = old;
  server.answer = ({ authorization, url }, response) => {
    response.statusCode = authorization === `Bearer ${accepted}` ? 200 : 401;
    response.end(`${response.statusCode} ${url}`);
  };
  await client.get('/first');
  server.arrivals.length = 0;
  bench.reads = 0;
  accepted = next;
});

afterEach(() => bench.close());

function tokensSent(): (string | undefined)[] {
  return server.arrivals.map(({ authorization }) => authorization?.slice('Bearer '.length));
}

async function statusOf(answer: Promise<unknown>): Promise<number | undefined> {
  return answer.then(
    (response) => (response as { status: number }).status,
    (error: unknown) => (error as AxiosError).response?.status,
  );
}

function formWith<Form extends { append(name: string, value: never, file?: never): void }>(
  form: Form,
  value: unknown,
): Form {
  form.append('a', '1' as never);
  form.append('file', value as never, 'f.txt' as never);
  return form;
}

/** A body without its boundary, which axios makes anew for a form of the web. */
function partsOf({ body, headers }: Arrival): { type: string | undefined; text: string } {
  return {
    type: headers['content-type']?.replace(/boundary=.*/, ''),
    text: body.replaceAll(/--[\w.-]{10,}/g, '(boundary)'),
  };
}

describe('an answer of 401', () => {
  it('causes one replay with the token that is now in the file', async () => {
    volume.write(next);
    const { status, data } = await client.get<string>('/orders');
    expect([status, data]).toEqual([200, '200 /orders']);
    expect(tokensSent()).toEqual([old, next]);
    await client.get('/orders');
    expect(tokensSent()).toEqual([old, next, next]);
    expect(bench.reads).toBe(1);
  });

  it('causes a replay also when validateStatus counts it as a success', async () => {
    volume.write(next);
    await expect(statusOf(client.get('/', { validateStatus: () => true }))).resolves.toBe(200);
    expect(tokensSent()).toEqual([old, next]);
  });

  it.each([
    ['text', 'a body', 'a body'],
    ['an object', { a: 1 }, '{"a":1}'],
    ['a form', new URLSearchParams({ a: '1' }), 'a=1'],
    ['a buffer', Buffer.from('bytes'), 'bytes'],
    ['an array buffer', new Uint8Array([97, 98]).buffer, 'ab'],
    ['a view', new Uint8Array([97, 98]), 'ab'],
    ['nothing', undefined, ''],
    ['null', null, ''],
  ])('is followed by a replay of a body that is %s, whole', async (_name, body, sent) => {
    volume.write(next);
    await expect(statusOf(client.post('/', body))).resolves.toBe(200);
    expect(server.arrivals.map((arrival) => arrival.body)).toEqual([sent, sent]);
  });

  const formHeaders = { 'Content-Type': 'multipart/form-data' };
  it.each<[string, () => unknown, string[], object]>([
    ['a Blob', () => new Blob(['in here'], { type: 'text/plain' }), ['http', 'fetch'], {}],
    ['a File', () => new File(['in here'], 'f.txt'), ['http', 'fetch'], {}],
    ['a form of the web', () => formWith(new FormData(), new Blob(['in here'])), ['http', 'fetch'], {}],
    // The fetch adapter sends such a form as "[object FormData]", with and without a token.
    ['a form of the package form-data', () => formWith(new FormDataPackage(), 'in here'), ['http'], {}],
    ['a form that axios makes', () => ({ a: 1, text: 'in here' }), ['http'], formHeaders],
  ])('is followed by a replay of a body that is %s, whole', async (_name, body, adapters, headers) => {
    for (const adapter of adapters) {
      accepted = await bench.mint.mint();
      volume.write(accepted);
      await expect(statusOf(client.post('/', body(), { adapter, headers }))).resolves.toBe(200);
      const [first, second] = server.arrivals.splice(0).map(partsOf);
      expect(second).toEqual(first);
      expect(second?.text).toContain('in here');
    }
  });

  it.each([
    ['a form with a stream', () => formWith(new FormDataPackage(), Readable.from(['once']))],
    ['a web stream', () => new Blob(['once']).stream()],
  ])('is returned when the body is %s', async (_name, body) => {
    volume.write(next);
    const adapter = body() instanceof FormDataPackage ? 'http' : 'fetch';
    await expect(statusOf(client.post('/', body(), { adapter }))).resolves.toBe(401);
    expect(tokensSent()).toEqual([old]);
  });

  it('is returned when the body is a stream, and the next request has the new token', async () => {
    volume.write(next);
    await expect(statusOf(client.post('/', Readable.from(['once'])))).resolves.toBe(401);
    expect(tokensSent()).toEqual([old]);
    await client.get('/');
    expect(tokensSent()).toEqual([old, next]);
  });

  it('is returned when the file contains the same token, or none', async () => {
    await expect(client.get('/')).rejects.toMatchObject({ status: 401, response: { data: '401 /' } });
    volume.empty();
    await expect(statusOf(client.get('/', { validateStatus: () => true }))).resolves.toBe(401);
    expect(tokensSent()).toEqual([old, old]);
  });

  it('does not cause reads of an unchanged file, even if the destination answers 401 repeatedly', async () => {
    for (let request = 0; request < 20; request++) {
      await expect(statusOf(client.get('/'))).resolves.toBe(401);
      await bench.clock.advance(100);
    }
    expect(bench.reads).toBeLessThanOrEqual(4);
    volume.write(next);
    await expect(statusOf(client.get('/'))).resolves.toBe(200);
  });

  it('is returned when the replay is answered with 401 too', async () => {
    volume.write(next);
    accepted = 'neither';
    await expect(statusOf(client.get('/'))).resolves.toBe(401);
    expect(tokensSent()).toEqual([old, next]);
  });

  it('returns the response of the replay, with any status', async () => {
    volume.write(next);
    server.answer = ({ authorization }, response) => {
      response.statusCode = authorization === `Bearer ${next}` ? 500 : 401;
      response.end();
    };
    await expect(statusOf(client.get('/'))).resolves.toBe(500);
  });

  it('causes one read for a hundred concurrent requests', async () => {
    volume.write(next);
    let release: () => void = () => {};
    const allArrived = new Promise<void>((resolve) => (release = resolve));
    server.answer = ({ authorization }, response) => {
      if (authorization === `Bearer ${next}`) return void response.end();
      if (server.arrivals.length === 100) release();
      void allArrived.then(() => response.writeHead(401).end());
    };
    const statuses = await Promise.all(Array.from({ length: 100 }, () => statusOf(client.get('/'))));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(bench.reads).toBe(1);
    expect(server.arrivals).toHaveLength(200);
  });

  it('causes no replay when it comes from another origin', async () => {
    volume.write(next);
    const elsewhere = await bench.server();
    elsewhere.answer = (_arrival, response) => response.writeHead(401).end();
    server.answer = (_arrival, response) => response.writeHead(307, { location: elsewhere.origin() }).end();
    await expect(statusOf(client.get('/'))).resolves.toBe(401);
    expect(bench.reads).toBe(0);
    expect(server.arrivals).toHaveLength(1);
  });

  it('causes no replay for a request with its own credentials', async () => {
    volume.write(next);
    await expect(statusOf(client.get('/', { headers: { authorization: 'Basic mine' } }))).resolves.toBe(401);
    expect(bench.reads).toBe(0);
  });

  it.each(['http', 'fetch'])(
    'does not keep its connection occupied when its body is a stream: %s',
    async (adapter) => {
      volume.write(next);
      let hasClosed: () => void = () => {};
      const closed = new Promise<void>((resolve) => (hasClosed = resolve));
      server.answer = ({ authorization }, response) => {
        if (authorization === `Bearer ${next}`) return void response.end('whole');
        response.once('close', hasClosed);
        response.writeHead(401).write('never ending');
      };
      const { status } = await client.get('/', { adapter, responseType: 'stream' });
      expect(status).toBe(200);
      await closed;
    },
  );
});
