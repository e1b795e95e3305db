import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Socket } from 'node:net';
import { type TokenVolume } from '../token-file/token-volume.fixture.js';
import { type DestinationServer, OutboundBench } from './axios/outbound.fixture.js';
import { expectNoToken } from './axios/secrecy.fixture.js';
import { CLIENTS, type Send } from './clients.fixture.js';

let bench: OutboundBench;
let home: DestinationServer;
let elsewhere: DestinationServer;
let volume: TokenVolume;
let origin: string;
let token: string;
let send: Send;

beforeEach(async () => {
  bench = new OutboundBench();
  ({ server: home, volume, token, origin } = await bench.listedServer());
  elsewhere = await bench.server();
});

afterEach(() => bench.close());

/** `/start` redirects to `location`; everything else is answered. */
function redirectStart(server: DestinationServer, status: number, location: string): void {
  server.answer = ({ url }, response) =>
    url === '/start' ? response.writeHead(status, { location }).end() : response.end('arrived');
}

/** The server accepts one token, and refuses all other requests with 401. */
function acceptOnly(accepted: string): void {
  home.answer = ({ authorization, body }, response) => {
    response.statusCode = authorization === `Bearer ${accepted}` ? 200 : 401;
    response.end(`${response.statusCode} ${body}`);
  };
}

const tokensAt = (server: DestinationServer) =>
  server.arrivals.map(({ authorization }) => authorization?.replace('Bearer ', ''));

describe.each(CLIENTS)('$name', ({ attach }) => {
  beforeEach(() => {
    send = attach(bench.tokenSource({ [origin]: volume }));
  });

  it('sends the token to its destination', async () => {
    home.answer = ({ method, body }, response) => response.end(`${method} ${body}`);
    expect(await send({ url: `${origin}/a?b=1` })).toMatchObject({ status: 200, text: 'GET ' });
    const posted = { url: origin, method: 'POST', body: 'text', headers: { 'x-mine': '1' } };
    expect(await send(posted)).toMatchObject({ status: 200, text: 'POST text' });
    expect(tokensAt(home)).toEqual([token, token]);
    expect(home.last?.headers['x-mine']).toBe('1');
  });

  it('sends no token to another port or another name of the host', async () => {
    await send({ url: elsewhere.origin() });
    await send({ url: home.origin('localhost') });
    expect([...tokensAt(elsewhere), ...tokensAt(home)]).toEqual([undefined, undefined]);
  });

  it.each(['Basic bWluZQ==', ''])(
    'sends the Authorization header of the caller instead: "%s"',
    async (own) => {
      await send({ url: origin, headers: { AuthorizatioN: own } });
      expect(home.last?.authorization).toBe(own);
    },
  );

  it('sends no token with a Host header that names another host', async () => {
    await send({ url: origin, headers: { Host: 'other.test' } });
    await send({ url: origin, headers: { Host: new URL(origin).host } });
    expect(tokensAt(home)).toEqual([undefined, token]);
  });

  it.each([301, 302, 303, 307, 308])(
    'keeps the token in a redirect with %i within the origin',
    async (status) => {
      redirectStart(home, status, '/end');
      expect(await send({ url: `${origin}/start` })).toMatchObject({ status: 200, text: 'arrived' });
      expect(home.arrivals.map(({ url }) => url)).toEqual(['/start', '/end']);
      expect(tokensAt(home)).toEqual([token, token]);
    },
  );

  it('sends text again in a redirect with 307', async () => {
    redirectStart(home, 307, '/end');
    await send({ url: `${origin}/start`, method: 'POST', body: 'text' });
    expect(home.last).toMatchObject({ method: 'POST', url: '/end', body: 'text' });
    expect(tokensAt(home)).toEqual([token, token]);
  });

  it('drops the token in a redirect to another origin, and does not add it when a redirect leads back', async () => {
    redirectStart(home, 302, `${elsewhere.origin()}/start`);
    redirectStart(elsewhere, 302, `${origin}/end`);
    expect(await send({ url: `${origin}/start` })).toMatchObject({ text: 'arrived' });
    expect(home.arrivals.map(({ url }) => url)).toEqual(['/start', '/end']);
    expect([...tokensAt(home), ...tokensAt(elsewhere)]).toEqual([token, undefined, undefined]);
  });

  it('drops the token in a redirect to another name of the host', async () => {
    redirectStart(home, 302, `${home.origin('localhost')}/end`);
    await send({ url: `${origin}/start` });
    expect(tokensAt(home)).toEqual([token, undefined]);
  });

  it('adds no token in a redirect from another origin, or from another destination', async () => {
    const second = await bench.tokenVolume();
    const listed = await bench.server();
    const source = bench.tokenSource({ [origin]: volume, [listed.origin()]: second.volume });
    send = attach(source);
    for (const server of [elsewhere, listed]) {
      redirectStart(server, 302, `${origin}/end`);
      await send({ url: `${server.origin()}/start` });
      expect(home.last).toMatchObject({ url: '/end', authorization: undefined });
    }
    expect(home.arrivals).toHaveLength(2);
  });

  describe('after a 401', () => {
    let next: string;

    beforeEach(async () => {
      next = await bench.mint.mint();
      await send({ url: origin });
      home.arrivals.length = 0;
      acceptOnly(next);
    });

    it.each(['GET', 'HEAD', 'DELETE'])(
      'repeats a %s once with the token that is now in the file',
      async (method) => {
        volume.write(next);
        expect(await send({ url: origin, method })).toMatchObject({ status: 200 });
        expect(tokensAt(home)).toEqual([token, next]);
        await send({ url: origin });
        expect(tokensAt(home)).toEqual([token, next, next]);
      },
    );

    it('sends text again', async () => {
      volume.write(next);
      const answer = await send({ url: origin, method: 'POST', body: 'text' });
      expect(answer).toMatchObject({ status: 200, text: '200 text' });
      expect(tokensAt(home)).toEqual([token, next]);
      expectNoToken(answer.raw, next);
    });

    it('returns the 401 if the file contains no other token', async () => {
      expect(await send({ url: origin })).toMatchObject({ status: 401, text: '401 ' });
      expect(tokensAt(home)).toEqual([token]);
    });

    it('returns the second 401', async () => {
      const other = await bench.mint.mint();
      volume.write(other);
      expect(await send({ url: origin })).toMatchObject({ status: 401, text: '401 ' });
      expect(tokensAt(home)).toEqual([token, other]);
    });

    it('does not repeat a stream', async () => {
      volume.write(next);
      const answer = await send({ url: origin, method: 'POST', body: { stream: 'once' } });
      expect(answer.status).toBe(401);
      expect(tokensAt(home)).toEqual([token]);
    });

    it('does not repeat a request that a redirect has led to another origin', async () => {
      volume.write(next);
      redirectStart(home, 302, `${elsewhere.origin()}/end`);
      elsewhere.answer = (_arrival, response) => response.writeHead(401).end('elsewhere');
      expect(await send({ url: `${origin}/start` })).toMatchObject({ status: 401, text: 'elsewhere' });
      expect([...tokensAt(home), ...tokensAt(elsewhere)]).toEqual([token, undefined]);
    });

    it('returns a long body of the 401 as it is', async () => {
      const body = 'x'.repeat(300_000);
      home.answer = (_arrival, response) => response.writeHead(401).end(body);
      expect((await send({ url: origin })).text).toBe(body);
    });
  });

  it('does not send a request without a usable token, and names the file', async () => {
    volume.write('');
    const error: unknown = await send({ url: origin }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_EMPTY' });
    expect((error as Error).message).toContain(volume.file);
    expect(home.arrivals).toHaveLength(0);
  });

  it('stops to wait for the token when the request is aborted', async () => {
    const tokenSource = { getToken: () => new Promise<undefined>(() => {}) };
    const controller = new AbortController();
    const answer = attach(tokenSource)({ url: origin, signal: controller.signal });
    controller.abort();
    await expect(answer).rejects.toBeDefined();
    expect(home.arrivals).toHaveLength(0);
  });

  it('shows the token in no response, and in no error of a failed request', async () => {
    expectNoToken((await send({ url: origin })).raw, token);
    const sockets: Socket[] = [];
    const broken = createServer((socket) =>
      sockets.push(socket.on('data', () => socket.end('not HTTP\r\n\r\n'))),
    );
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    const { port } = broken.address() as { port: number };
    const url = `http://127.0.0.1:${port}`;
    const failing = attach(bench.tokenSource({ [url]: volume }));
    const answered: unknown = await failing({ url }).catch((reason: unknown) => reason);
    expect(answered).toHaveProperty('message');
    expectNoToken(answered, token);
    await new Promise((resolve) => broken.close(resolve));
    const refused: unknown = await failing({ url }).catch((reason: unknown) => reason);
    expect(refused).toHaveProperty('message');
    expectNoToken(refused, token);
  });

  it('uses no proxy of the environment', async () => {
    const saved = { ...process.env };
    const proxy = await bench.server();
    try {
      for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'])
        process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.origin();
      await attach(bench.tokenSource({ [origin]: volume }))({ url: origin });
    } finally {
      process.env = saved;
    }
    expect(tokensAt(home)).toEqual([token]);
    expect(proxy.arrivals).toHaveLength(0);
  });
});
