import { createServer, IncomingMessage, type Server } from 'node:http';
import {
  connect,
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
} from 'node:http2';
import { type AddressInfo, Socket } from 'node:net';
import { Controller, Get, Req } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closeApps, send, startApp } from '../../../test-support/inbound-app.js';
import { K8sAuth } from '../k8s-auth.decorators.js';
import { readBearerToken, removeAuthorization } from './bearer-token.js';

let server: Server | Http2Server | undefined;

afterEach(async () => {
  await new Promise<unknown>((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
  await closeApps();
});

async function listen(one: Server | Http2Server): Promise<string> {
  server = one;
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}

/** Answers with what `handle` returns for the request. */
function newServer(handle: (request: IncomingMessage) => unknown, options = {}): Server {
  return createServer(options, (request, response) => response.end(JSON.stringify(handle(request))));
}

/** The objects that Node has added to its request under symbols, such as a view of the headers. */
function builtViews(request: IncomingMessage): number {
  return Object.getOwnPropertySymbols(request).filter((key) => {
    const value = Reflect.get(request, key) as unknown;
    return typeof value === 'object' && value !== null && Reflect.has(value, 'host');
  }).length;
}

function viewsOf({ headers, headersDistinct, rawHeaders }: IncomingMessage) {
  return { headers, headersDistinct, rawHeaders };
}

const WITHOUT_AUTHORIZATION = {
  headers: { host: expect.any(String), connection: 'close' },
  headersDistinct: { host: [expect.any(String)], connection: ['close'] },
  rawHeaders: ['Host', expect.any(String), 'Connection', 'close'],
};

describe('removeAuthorization for a request of Node', () => {
  it.each(['Authorization', 'authorization', 'AUTHORIZATION', 'aUTHORIZATIOn'])(
    'removes a header named %s from a view that is built later',
    async (name) => {
      const url = await listen(
        newServer((request) => {
          removeAuthorization(request);
          return viewsOf(request);
        }),
      );
      expect(JSON.parse((await send(url, 'Bearer abc', name)).body)).toEqual(WITHOUT_AUTHORIZATION);
    },
  );

  it('removes the header from the views that other code has read, and keeps the objects', async () => {
    const isSame: boolean[] = [];
    const url = await listen(
      newServer((request) => {
        const before = viewsOf(request);
        removeAuthorization(request);
        isSame.push(
          before.headers === request.headers,
          before.headersDistinct === request.headersDistinct,
          before.rawHeaders === request.rawHeaders,
        );
        return before;
      }),
    );
    expect(JSON.parse((await send(url, 'Bearer abc')).body)).toEqual(WITHOUT_AUTHORIZATION);
    expect(isSame).toEqual([true, true, true]);
  });

  it('removes a repeated header from a view that is built later', async () => {
    const url = await listen(
      newServer((request) => {
        removeAuthorization(request);
        return viewsOf(request);
      }),
    );
    const { body } = await send(url, ['Bearer abc', 'Bearer def']);
    expect(JSON.parse(body)).toEqual(WITHOUT_AUTHORIZATION);
  });

  it('does not build headersDistinct', async () => {
    const counts: number[] = [];
    const url = await listen(
      newServer((request) => {
        removeAuthorization(request);
        counts.push(builtViews(request));
        void request.headersDistinct;
        counts.push(builtViews(request));
      }),
    );
    await send(url, 'Bearer abc');
    expect(counts).toEqual([1, 2]);
  });

  it('removes the header if the class of the request builds its own view', async () => {
    class OwnRequest extends IncomingMessage {}
    const view = { host: ['x'], authorization: ['Bearer abc'] };
    Object.defineProperty(OwnRequest.prototype, 'headersDistinct', { get: () => view });
    const url = await listen(
      newServer(
        (request) => {
          removeAuthorization(request);
          return request.headersDistinct;
        },
        { IncomingMessage: OwnRequest },
      ),
    );
    expect((await send(url, 'Bearer abc')).body).toBe('{"host":["x"]}');
  });

  it('accepts a request that other code has created, with fewer headers in its views', () => {
    const request = new IncomingMessage(new Socket());
    request.rawHeaders.push('Authorization', 'Bearer abc', 'Host', 'x');
    request.headers = { authorization: 'Bearer abc', host: 'x' };
    removeAuthorization(request);
    expect(viewsOf(request)).toEqual({
      headers: { host: 'x' },
      headersDistinct: {},
      rawHeaders: ['Host', 'x'],
    });
  });
});

describe('the Authorization header of other kinds of requests', () => {
  it('is read and removed on HTTP/2', async () => {
    const seen: unknown[] = [];
    const url = await listen(
      createHttp2Server((request: Http2ServerRequest, response) => {
        seen.push(readBearerToken(request, 100));
        removeAuthorization(request);
        seen.push({ ...request.headers }, [...request.rawHeaders]);
        response.end();
      }),
    );
    const session = connect(url);
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({ ':path': '/', Authorization: 'Bearer abc', 'x-other': 'yes' });
      stream.on('error', reject).on('close', resolve).resume().end();
    });
    session.close();
    expect(seen).toEqual([
      'abc',
      expect.objectContaining({ 'x-other': 'yes' }),
      expect.arrayContaining(['x-other']),
    ]);
    expect(JSON.stringify(seen.slice(1)).toLowerCase()).not.toMatch(/authorization|bearer/);
  });

  it("is removed from a request of Fastify's inject", async () => {
    @Controller()
    class EchoController {
      @Get() @K8sAuth('orders') echo(@Req() { raw }: { raw: IncomingMessage }) {
        return { headers: raw.headers, rawHeaders: raw.rawHeaders };
      }
    }
    const { app } = await startApp('fastify', { controllers: [EchoController] });
    const response = await (app as NestFastifyApplication).inject({
      path: '/',
      headers: { authorization: 'Bearer secret-token', 'x-other': 'yes' },
    });
    expect(response.statusCode).toBe(200);
    expect(response.body).toContain('x-other');
    expect(response.body.toLowerCase()).not.toMatch(/authorization|secret-token/);
  });
});
