import dns from 'node:dns';
import { inspect } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type RequestListener } from 'node:http';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority } from '../../testing/local-cluster/certificates.js';
import { type HttpsClient, type HttpsRequest, type HttpsResponse, NOT_CONNECTED } from './https-client.js';
import {
  clientWith,
  type HttpsServer,
  issueLoopback,
  startHttpsServer,
  turn,
  until,
} from './https-server.fixture.js';
import { startDeadline } from '../util/timers.js';

const TIMEOUT_MS = 8_000;

let authority: CertificateAuthority;
let server: HttpsServer;
let client: HttpsClient;
let clock: FakeClock;
let requests: number;
let answer: RequestListener;

beforeAll(async () => {
  authority = await CertificateAuthority.create();
});

beforeEach(async () => {
  clock = new FakeClock();
  requests = 0;
  answer = (_request, response) => response.end('hello');
  server = await startHttpsServer(await issueLoopback(authority), (request, response) => {
    requests++;
    answer(request, response);
  });
  client = clientWith({ ca: authority.pem }, clock);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await client.close();
  await server.close();
});

/** What the request comes to, and when: its status, or the message of its failure. */
class Asked {
  outcome?: unknown;
  atMs?: number;
  readonly settled: Promise<void>;

  constructor(more: Partial<HttpsRequest> = {}, timeoutMs = TIMEOUT_MS) {
    const deadline = startDeadline(clock, timeoutMs);
    const call = { method: 'GET', url: server.url, headers: {}, maxBytes: 1_000, deadline, ...more } as const;
    this.settled = client
      .request(call)
      .then(
        ({ body }: HttpsResponse) => (this.outcome = body),
        (error: Error) => (this.outcome = error),
      )
      .then(() => {
        this.atMs = clock.monotonicMs();
        deadline.cancel();
      });
  }
}

const unconnected = {
  name: 'TimeoutError',
  message: `no connection within ${TIMEOUT_MS} ms`,
  code: NOT_CONNECTED,
};
const unanswered = { name: 'TimeoutError', message: `no answer within ${TIMEOUT_MS} ms`, code: 'ETIMEDOUT' };

/** Leaves a connection in the pool. */
async function connect(): Promise<void> {
  await new Asked().settled;
  await until(() => clock.pendingTimers === 0);
}

describe('the deadline of a request', () => {
  it('ends the request while the TLS handshake is not answered, and leaves no connection open', async () => {
    server.silence();
    const asked = new Asked();
    await until(() => server.openConnections() === 1);
    await clock.advance(TIMEOUT_MS - 1);
    expect(asked.outcome).toBeUndefined();
    await clock.advance(1);
    expect(asked).toMatchObject({ outcome: unconnected, atMs: TIMEOUT_MS });
    await until(() => server.openConnections() === 0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends the request during the address lookup', async () => {
    const lookup = jest.spyOn(dns, 'lookup').mockImplementation(() => {});
    const asked = new Asked({ url: server.url.replace('127.0.0.1', 'api.example') });
    await clock.advance(TIMEOUT_MS);
    expect(lookup).toHaveBeenCalled();
    expect(asked).toMatchObject({ outcome: unconnected, atMs: TIMEOUT_MS });
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends the request while the body arrives byte by byte', async () => {
    let isCut = false;
    answer = (_request, response) => {
      response.on('close', () => (isCut = true));
      const more = () => {
        response.write('x');
        clock.schedule(100, () => isCut || more());
      };
      more();
    };
    const asked = new Asked();
    await until(() => requests === 1);
    await clock.advance(TIMEOUT_MS);
    expect(asked).toMatchObject({ outcome: unanswered, atMs: TIMEOUT_MS });
    await until(() => isCut);
  });

  it('prevents the request when it is already over', async () => {
    const deadline = startDeadline(clock, 1);
    await clock.advance(1);
    const asked = new Asked({ deadline });
    await asked.settled;
    expect(asked.outcome).toMatchObject({ code: NOT_CONNECTED });
    expect(server.connections()).toBe(0);
  });
});

describe('a new connection that is not established', () => {
  it('is replaced by another one after half of the time', async () => {
    server.silence();
    const asked = new Asked();
    await until(() => server.connections() === 1);
    await clock.advance(TIMEOUT_MS / 2 - 1);
    expect(server.connections()).toBe(1);
    server.speak();
    await clock.advance(1);
    await asked.settled;
    expect(asked).toMatchObject({ outcome: 'hello', atMs: TIMEOUT_MS / 2 });
    await until(() => server.openConnections() === 1);
  });

  it('is waited for until the deadline when the time is short', async () => {
    server.silence();
    const asked = new Asked({}, 500);
    await until(() => server.connections() === 1);
    await clock.advance(499);
    expect(server.connections()).toBe(1);
    await clock.advance(1);
    expect(asked.atMs).toBe(500);
  });

  it('is not confused with a server that answers slowly', async () => {
    answer = (_request, response) => void clock.schedule(TIMEOUT_MS - 1, () => response.end('late'));
    const asked = new Asked();
    await until(() => requests === 1);
    await clock.advance(TIMEOUT_MS - 1);
    await asked.settled;
    expect([asked.outcome, requests]).toEqual(['late', 1]);
  });
});

describe('an open connection', () => {
  it('is replaced by a new one after an eighth of the time if it stays silent', async () => {
    await connect();
    server.muteConnections();
    const asked = new Asked();
    await turn();
    await clock.advance(TIMEOUT_MS / 8 - 1);
    expect([asked.outcome, requests]).toEqual([undefined, 1]);
    await clock.advance(1);
    await asked.settled;
    expect([asked.outcome, requests, server.connections()]).toEqual(['hello', 2, 2]);
  });

  it('closes the other open connections too when it fails', async () => {
    let finish = () => {};
    answer = (_request, response) => (finish = () => response.end('first'));
    const first = new Asked();
    await until(() => requests === 1);
    answer = (_request, response) => response.end('second');
    await new Asked().settled;
    finish();
    await first.settled;
    await until(() => clock.pendingTimers === 0);
    expect(server.openConnections()).toBe(2);

    server.muteConnections();
    const asked = new Asked();
    await turn();
    await clock.advance(TIMEOUT_MS / 8);
    await asked.settled;
    expect(asked.outcome).toBe('second');
    await until(() => server.openConnections() === 1);
  });

  it('is closed with a request that ends before its limit', async () => {
    await connect();
    server.muteConnections();
    const asked = new Asked({}, 100);
    await clock.advance(100);
    expect(asked.atMs).toBe(100);
    const next = new Asked();
    await next.settled;
    expect(next).toMatchObject({ outcome: 'hello', atMs: 100 });
  });

  it('may stay silent for longer if the last answers of the server were slow', async () => {
    answer = (_request, response) => void clock.schedule(3_000, () => response.end('late'));
    const slow = new Asked();
    await until(() => requests === 1);
    await clock.advance(3_000);
    await slow.settled;
    const slower = new Asked();
    await until(() => requests === 2);
    answer = (_request, response) => response.end('second try');
    await clock.advance(3_000);
    await slower.settled;
    expect([slower.outcome, requests, server.connections()]).toEqual(['late', 2, 1]);
  });

  it('is replaced immediately if it is reset before an answer', async () => {
    await connect();
    answer = (request, response) => {
      answer = (_request, next) => next.end('second try');
      request.socket.destroy();
      response.destroy();
    };
    const asked = new Asked();
    await asked.settled;
    expect(asked).toMatchObject({ outcome: 'second try', atMs: 0 });
  });
});

describe('secrets of a request', () => {
  const headers = { authorization: 'Bearer s3cr3t-of-this-spec' };

  it('are not shown by the client while a request is in flight', async () => {
    answer = () => {};
    const asked = new Asked({ headers, method: 'POST', body: 's3cr3t-of-this-spec' });
    await until(() => requests === 1);
    expect(inspect(client, { depth: Infinity, showHidden: true })).not.toContain('s3cr3t');
    await clock.advance(TIMEOUT_MS);
    await asked.settled;
  });

  it.each<[string, RequestListener]>([
    ['the head', ({ socket }) => socket.end('s3cr3t-of-this-spec\r\n\r\n')],
    [
      'the framing',
      ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ns3cr3t'),
    ],
    ['a header', ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nX-\u0001s3cr3t: s3cr3t\r\n\r\n')],
    ['the length', ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: s3cr3t\r\n\r\n')],
  ])('are not in the error of a response with invalid syntax: %s', async (_, respond) => {
    answer = respond;
    const asked = new Asked({ headers });
    await asked.settled;
    expect(asked.outcome).toMatchObject({ name: expect.any(String), message: expect.any(String) });
    expect(Object.keys(asked.outcome as object).sort()).toEqual(['code', 'name']);
    expect(asked.outcome).not.toHaveProperty('cause');
    expect(inspect(asked.outcome, { depth: Infinity, showHidden: true })).not.toContain('s3cr3t');
  });

  it('are not in the error for a header that cannot be sent', async () => {
    const asked = new Asked({ headers: { authorization: 'Bearer s3cr3t\n' } });
    await asked.settled;
    expect(asked.outcome).toMatchObject({ code: 'ERR_INVALID_CHAR' });
    expect(inspect(asked.outcome, { depth: Infinity, showHidden: true })).not.toContain('s3cr3t');
  });
});
