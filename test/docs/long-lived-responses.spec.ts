import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { K8sAuthModule } from 'nest-k8s-auth';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { codeBlocks } from './code-blocks.js';
import { MAX_STREAM_MS, OrderEventsController, Orders, untilExpiry } from './long-lived-responses.example.js';

const LIFETIME_SECONDS = 60;
const REAL = [
  ...(['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] as const),
  ...(['nextTick', 'queueMicrotask', 'performance', 'hrtime'] as const),
];

afterEach(() => {
  jest.useRealTimers();
});

it('docs/long-lived-responses.md shows the controller that these tests run', () => {
  const example = readFileSync(join(import.meta.dirname, 'long-lived-responses.example.ts'), 'utf8');
  expect(codeBlocks('docs/long-lived-responses.md', 'ts')).toEqual([example]);
});

describe.each([
  ['express', () => new ExpressAdapter()],
  ['fastify', () => new FastifyAdapter()],
])('server-sent events on %s', (_, adapter) => {
  let cluster: LocalCluster;
  let app: INestApplication;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ signingAlgorithm: 'ES256' });
    await cluster.createServiceAccount('shop', 'checkout');
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'checkout' });
    const publicKeys = `${mount}-sa.pub`;
    writeFileSync(publicKeys, cluster.publicKeysPem());
    const testing = await Test.createTestingModule({
      imports: [
        K8sAuthModule.forRoot({
          verifier: {
            kind: 'jwt-pubkey',
            issuer: cluster.issuer,
            publicKeyFiles: [publicKeys],
            clockToleranceMs: 0,
          },
        }),
      ],
      controllers: [OrderEventsController],
      providers: [Orders],
    }).compile();
    app = testing.createNestApplication(adapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    await app?.close();
    await cluster?.close();
  });

  async function connect(token: string): Promise<IncomingMessage> {
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
    const request = get(`${await app.getUrl()}/orders/events`, { headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response.setEncoding('utf8');
  }

  it('reach the caller until its token expires, and then end', async () => {
    // The test controls the clock and the timer that ends the stream; sockets, promises and their timeouts are real.
    jest.useFakeTimers({ doNotFake: REAL });
    const token = await cluster.createToken({
      ...{ namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] },
      expirationSeconds: LIFETIME_SECONDS,
    });
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      exp: number;
    };
    const response = await connect(token);
    expect(response.statusCode).toBe(200);
    let text = '';
    response.on('data', (chunk: string) => (text += chunk));
    const { changes } = app.get(Orders);
    // Headers may be sent before the controller's stream is subscribed to.
    while (!changes.observed) await setImmediate();
    jest.advanceTimersByTime(exp * 1000 - Date.now() - 1);
    changes.next({ id: 'before' });
    while (!text.includes('data: {"id":"before"}')) await once(response, 'data');
    expect(changes.observed).toBe(true);

    const ended = once(response, 'end');
    jest.advanceTimersByTime(1);
    await ended;
    expect(response.complete).toBe(true);
    // No subscription is left.
    expect(changes.observed).toBe(false);
    const again = await connect(token);
    again.resume();
    expect(again.statusCode).toBe(401);
  });
});

describe('untilExpiry', () => {
  it.each([
    ['a token that lives for a minute', 60_000, 60_000],
    ['a token that lives for a year', 31_536_000_000, MAX_STREAM_MS],
    ['a token without an expiry', undefined, MAX_STREAM_MS],
    ['a token that has just expired', -1000, 0],
  ])('emits in time for %s', (_, lifetimeMs, expectedMs) => {
    jest.useFakeTimers();
    const ended = jest.fn();
    const expiresAt = lifetimeMs === undefined ? undefined : new Date(Date.now() + lifetimeMs);
    untilExpiry(expiresAt).subscribe(ended);
    if (expectedMs > 0) jest.advanceTimersByTime(expectedMs - 1);
    expect(ended).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(ended).toHaveBeenCalledTimes(1);
  });
});
