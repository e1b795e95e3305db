import { type IncomingMessage } from 'node:http';
import { Controller, Get, type INestApplication, Req } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { ADAPTERS, closeApps, type RunningApp, send, startApp } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { nodeRequestOf } from './bearer-token.js';

interface Views {
  wrapper: unknown;
  headers: unknown;
  headersDistinct: unknown;
  rawHeaders: unknown;
  keys: string[];
}

function viewsOf(request: { headers: object }): Views {
  const node = nodeRequestOf(request);
  return {
    wrapper: request.headers,
    headers: node?.headers,
    headersDistinct: node?.headersDistinct,
    rawHeaders: node?.rawHeaders,
    keys: [...Object.keys(request), ...Object.keys(node ?? {})],
  };
}

@Controller()
class EchoController {
  @Get()
  @K8sAuth('orders')
  echo(@Req() request: { headers: object }) {
    return viewsOf(request);
  }

  @Get('open')
  @Public()
  open(@Req() request: { headers: object }) {
    return viewsOf(request);
  }

  @Get('admin')
  @K8sAuth('orders', allowServiceAccounts('shop/admin'))
  admin() {}
}

function expectGone(body: string): void {
  const { keys: _, ...views } = JSON.parse(body) as Views;
  // All other headers are still there.
  expect(JSON.stringify(views.headers)).toContain('"host"');
  expect(JSON.stringify(views.headersDistinct)).toContain('"host"');
  expect(JSON.stringify(views.rawHeaders)).toContain('"Host"');
  expect(JSON.stringify(views).toLowerCase()).not.toContain('authorization');
  expect(JSON.stringify(views)).not.toContain('secret-token');
}

afterEach(closeApps);

describe.each(ADAPTERS)('the Authorization header after the guard on %s', (adapter) => {
  let running: RunningApp;

  it('is removed from every view of the headers', async () => {
    running = await startApp(adapter, { controllers: [EchoController] });
    expectGone((await send(running.url, 'Bearer secret-token')).body);
  });

  it('is removed even if a middleware has read the views before', async () => {
    const seen: unknown[] = [];
    running = await startApp(adapter, {
      controllers: [EchoController],
      configure: (app) =>
        app.use((request: IncomingMessage, _response: unknown, next: () => void) => {
          seen.push(request.headersDistinct.authorization, request.headers.authorization);
          next();
        }),
    });
    expectGone((await send(running.url, 'Bearer secret-token')).body);
    expect(seen).toEqual([['Bearer secret-token'], 'Bearer secret-token']);
  });

  it('is removed, and the request has no data about the caller', async () => {
    running = await startApp(adapter, { controllers: [EchoController] });
    const guarded = JSON.parse((await send(running.url, 'Bearer secret-token')).body) as Views;
    const open = JSON.parse((await send(`${running.url}/open`)).body) as Views;
    expect(guarded.keys).toEqual(open.keys);
  });

  it('is kept on a public route, which does not read it', async () => {
    running = await startApp(adapter, { controllers: [EchoController], guardIsGlobal: true });
    expect((await send(`${running.url}/open`, 'Bearer secret-token')).body).toContain('secret-token');
  });

  it('is kept if the request is refused', async () => {
    const headers: unknown[] = [];
    running = await startApp(adapter, {
      controllers: [EchoController],
      configure: (app) =>
        app.use(
          (
            request: IncomingMessage,
            response: { on(event: string, task: () => void): void },
            next: () => void,
          ) => {
            response.on('finish', () => headers.push(request.headers.authorization));
            next();
          },
        ),
    });
    expect((await send(`${running.url}/admin`, 'Bearer secret-token')).status).toBe(403);
    expect(headers).toEqual(['Bearer secret-token']);
  });
});

describe('the Authorization header after the guard on Fastify', () => {
  let running: RunningApp;

  it('is removed even if a hook has assigned other headers to the request', async () => {
    running = await startApp('fastify', {
      controllers: [EchoController],
      configure: (app: INestApplication) => {
        (app as NestFastifyApplication)
          .getHttpAdapter()
          .getInstance()
          .addHook('onRequest', (request, _reply, done) => {
            request.headers = { ...request.headers, 'x-added': 'yes' };
            done();
          });
      },
    });
    const { body } = await send(running.url, 'Bearer secret-token');
    expectGone(body);
    expect(body).toContain('x-added');
  });
});
