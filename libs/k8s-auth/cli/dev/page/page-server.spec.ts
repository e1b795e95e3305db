import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request as send } from 'node:http';
import { FakeClock } from '../../../testing/fake-clock.js';
import { PageServer } from './page-server.js';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let page: PageServer;
let port: string;
let ran: string[];

beforeEach(async () => {
  ran = [];
  page = await PageServer.start({
    port: 0,
    clock: new FakeClock(),
    snapshot: () => ({ greeting: 'hello' }),
    runAction: (id) => {
      ran.push(id);
      if (id === 'broken') throw new Error('it cannot be done now');
      return Promise.resolve(id === 'known' ? { message: 'done' } : undefined);
    },
  });
  port = new URL(page.url).port;
});

afterEach(() => page.close());

/** One request with exactly these headers, which fetch does not allow. Reads only the first bytes of a stream. */
function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers: { connection: 'close', ...headers } };
    const request = send(options, (response) => {
      let body = '';
      const finish = () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        request.destroy();
      };
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (response.headers['content-type']?.startsWith('text/event-stream')) finish();
      });
      response.on('end', finish);
    });
    request.on('error', reject);
    request.end();
  });
}

const own = () => ({ origin: `http://127.0.0.1:${port}` });
const FILES = ['/', '/main.mjs', '/style.css', '/icon.svg'];

describe('PageServer', () => {
  it('listens on loopback only', () => {
    expect(page.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  });

  it.each([
    ['GET', '/', {}],
    ['GET', '/main.mjs', {}],
    ['GET', '/missing', {}],
    ['GET', '/events', { 'sec-fetch-site': 'same-origin' }],
    ['POST', '/actions/known', {}],
    ['PUT', '/', {}],
    ['GET', '/', { host: 'attacker.example' }],
  ])('sends a strict policy and no CORS header with %s %s %j', async (method, path, headers) => {
    const reply = await ask(method, path, headers);
    const policy = String(reply.headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]),
    );
    expect(policy.join()).not.toMatch(/unsafe|\*|data:|https?:/);
    expect(reply.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('serves a page whose scripts and styles are files of its own', async () => {
    const { body } = await ask('GET', '/');
    expect(body).not.toMatch(/<script(?![^>]* src="\/)|<style| style=| on\w+=|javascript:/);
    for (const [, path = ''] of body.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      expect(`${path} ${(await ask('GET', path)).status}`).toBe(`${path} 200`);
    }
  });

  it('serves modules with the type that browsers require', async () => {
    const types = await Promise.all(
      FILES.map(async (path) => (await ask('GET', path)).headers['content-type']),
    );
    expect(types).toEqual([
      'text/html; charset=utf-8',
      'text/javascript; charset=utf-8',
      'text/css; charset=utf-8',
      'image/svg+xml',
    ]);
  });

  it('serves only the files of the page', async () => {
    for (const path of [
      '/../page-server.ts',
      '/%2e%2e/page-server.ts',
      '//etc/passwd',
      '/index.html',
      '/__proto__',
    ]) {
      expect(`${path} ${(await ask('GET', path)).status}`).toBe(`${path} 404`);
    }
  });

  it.each(['attacker.example', 'localhost', 'localhost:1', '127.0.0.1:80@attacker.example', '[::1]'])(
    'refuses the host %s, which DNS rebinding may point here',
    async (host) => {
      for (const [method, path] of [
        ['GET', '/'],
        ['GET', '/events'],
        ['POST', '/actions/known'],
      ] as const) {
        const { status } = await ask(method, path, { host, origin: `http://${host}` });
        expect(`${method} ${path} ${status}`).toBe(`${method} ${path} 421`);
      }
      expect(ran).toEqual([]);
    },
  );

  it('runs an action for its own page, by either name of loopback', async () => {
    expect(await ask('POST', '/actions/known', own())).toMatchObject({
      status: 200,
      body: '{"message":"done"}',
    });
    const host = `localhost:${port}`;
    const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect(await ask('POST', '/actions/known', headers)).toMatchObject({ status: 200 });
    expect(ran).toEqual(['known', 'known']);
  });

  it.each([
    ['a program that names no origin', {}],
    ['another origin', { origin: 'https://attacker.example' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed page', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port, as browsers see it', { 'sec-fetch-site': 'same-site' }],
  ])('runs no action for %s', async (_, headers) => {
    expect(await ask('POST', '/actions/known', headers)).toMatchObject({ status: 403 });
    expect(await ask('GET', '/events', headers)).toMatchObject({ status: 403 });
    expect(ran).toEqual([]);
  });

  it('trusts no origin of another site because the rest fits', async () => {
    expect(await ask('POST', '/actions/known', { ...own(), 'sec-fetch-site': 'cross-site' })).toMatchObject({
      status: 403,
    });
  });

  it('says that an action is unknown, or why it is impossible now', async () => {
    expect(await ask('POST', '/actions/missing', own())).toMatchObject({ status: 404 });
    expect(await ask('POST', '/actions/broken', own())).toMatchObject({
      status: 409,
      body: '{"message":"it cannot be done now"}',
    });
    expect(await ask('POST', '/', own())).toMatchObject({ status: 405 });
    expect(await ask('DELETE', '/actions/known', own())).toMatchObject({ status: 405 });
  });

  it('sends everything to a page that was just opened', async () => {
    const { headers, body } = await ask('GET', '/events', { 'sec-fetch-site': 'same-origin' });
    expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(body).toBe('retry: 1000\nevent: snapshot\ndata: {"greeting":"hello"}\n\n');
  });
});
