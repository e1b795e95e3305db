import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type RequestListener } from 'node:http';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority } from '../../testing/local-cluster/certificates.js';
import { CapturedLog } from '../api-server/own-cluster.fixture.js';
import { HttpsClient, type HttpsRequest } from './https-client.js';
import {
  clientWith,
  endless,
  type HttpsServer,
  issueLoopback,
  startHttpsServer,
  turn,
  until,
} from './https-server.fixture.js';

let authority: CertificateAuthority;
let server: HttpsServer;
let client: HttpsClient;
let answer: RequestListener;
const clock = new FakeClock();

function get(more: Partial<HttpsRequest> = {}): ReturnType<HttpsClient['request']> {
  return client.request({
    method: 'GET',
    url: `${server.url}/path`,
    headers: {},
    deadline: endless(),
    maxBytes: 100,
    ...more,
  });
}

/** Jest gives specs a copy of the environment; a thread that shares the real one can change what Node itself sees. */
async function outsideOfJest(script: string): Promise<void> {
  await once(new Worker(script, { eval: true, env: SHARE_ENV }), 'exit');
}

beforeAll(async () => {
  authority = await CertificateAuthority.create();
});

beforeEach(async () => {
  answer = (_request, response) => response.end('hello');
  server = await startHttpsServer(await issueLoopback(authority), (request, response) =>
    answer(request, response),
  );
  client = clientWith({ ca: authority.pem }, clock);
});

afterEach(async () => {
  await client.close();
  await server.close();
});

describe('HttpsClient', () => {
  it('sends method, headers and body, and returns status, headers and body', async () => {
    answer = (request, response) => {
      const { method, url, headers } = request;
      response.writeHead(418, {
        'X-Seen': `${method} ${url} ${String(headers['x-mine'])}`,
        'X-Two': ['a', 'b'],
      });
      request.pipe(response);
    };
    const headers = { 'x-mine': 'yes', 'content-type': 'text/plain' };
    const response = await get({ method: 'POST', headers, body: 'grüße' });
    expect(response).toMatchObject({ status: 418, body: 'grüße' });
    expect(['x-seen', 'x-two', 'x-none'].map((name) => response.header(name))).toEqual([
      'POST /path yes',
      'a, b',
      undefined,
    ]);
  });

  it('uses one connection for consecutive requests', async () => {
    for (let n = 0; n < 20; n++) {
      await get();
      // A connection is free for the next request only after the turn in which its answer ended.
      await turn();
    }
    expect(server.connections()).toBe(1);
  });

  it('never sends a request without TLS', async () => {
    await expect(get({ url: server.url.replace('https:', 'http:') })).rejects.toThrow('without TLS');
    expect(server.connections()).toBe(0);
  });

  it('does not follow a redirect', async () => {
    let hits = 0;
    answer = (_request, response) => {
      hits++;
      response.writeHead(302, { location: `${server.url}/elsewhere` }).end();
    };
    await expect(get()).resolves.toMatchObject({ status: 302 });
    expect(hits).toBe(1);
  });

  it('fails for a body that is longer than the limit', async () => {
    answer = (_request, response) => response.end('x'.repeat(100));
    await expect(get()).resolves.toHaveProperty('body.length', 100);
    let isCut = false;
    answer = (_request, response) => {
      response.on('close', () => (isCut = true));
      response.write('x'.repeat(101));
    };
    await expect(get()).rejects.toThrow('body longer than 100 bytes');
    await until(() => isCut);
    await expect(get({ maxBytes: 10 })).rejects.toThrow('body longer than 10 bytes');
  });

  it('fails for a body that was truncated', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 50 });
      response.write('{"kind":', () => response.destroy());
    };
    await expect(get()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('ends the request when the signal aborts, before the response and during the body', async () => {
    for (const isHeadSent of [false, true]) {
      let hasArrived = false;
      answer = (_request, response) => {
        if (isHeadSent) response.write('part');
        hasArrived = true;
      };
      const deadline = endless();
      const asked = get({ deadline });
      await until(() => hasArrived);
      deadline.abort(new Error('time is up'));
      await expect(asked).rejects.toThrow('time is up');
    }
  });

  it('lets requests in flight finish when its certificate files are replaced, and opens new connections', async () => {
    let ca = authority.pem;
    client = new HttpsClient(
      { of: 'the server', tls: { ca }, readTls: () => Promise.resolve({ ca }) },
      { clock, log: new CapturedLog() },
    );
    let finish = () => {};
    answer = (_request, response) => (finish = () => response.end('late'));
    const asked = get();
    const noop = finish;
    await until(() => finish !== noop);
    ca = (await CertificateAuthority.create()).pem;
    answer = (_request, response) => response.end('hello');
    await clock.advance(600_000);
    await get();
    await turn();
    answer = (_request, response) => response.end('hello');
    await expect(get()).rejects.toHaveProperty('code', expect.stringMatching(/^UNABLE_TO_/));
    finish();
    await expect(asked).resolves.toMatchObject({ body: 'late' });
    ca = authority.pem;
    await clock.advance(60_000);
    await expect(get()).resolves.toMatchObject({ body: 'hello' });
    // Two of them were refused for their certificate.
    expect(server.connections()).toBe(5);
  });

  it('aborts requests in flight when it is closed, and rejects later requests', async () => {
    let hasArrived = false;
    answer = () => (hasArrived = true);
    const asked = get();
    await until(() => hasArrived);
    await Promise.all([expect(asked).rejects.toMatchObject({ code: 'ERR_CLOSED' }), client.close()]);
    await expect(get()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});

describe('the trust of HttpsClient', () => {
  it('is limited to the given CA', async () => {
    const other = await CertificateAuthority.create();
    client = clientWith({ ca: other.pem }, clock);
    await expect(get()).rejects.toHaveProperty('code');
    client = clientWith({}, clock);
    await expect(get()).rejects.toHaveProperty('code', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('does not depend on the variable NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    await outsideOfJest(`process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'`);
    try {
      client = clientWith({}, clock);
      await expect(get()).rejects.toHaveProperty('code', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    } finally {
      await outsideOfJest('delete process.env.NODE_TLS_REJECT_UNAUTHORIZED');
    }
  });

  it('requires the host name in the URL, or the configured server name', async () => {
    client = clientWith({ ca: authority.pem, servername: 'api.example' }, clock);
    await expect(get()).resolves.toMatchObject({ status: 200 });
    client = clientWith({ ca: authority.pem, servername: 'other.example' }, clock);
    await expect(get()).rejects.toHaveProperty('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
  });
});
