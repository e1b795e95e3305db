import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent } from 'node:https';
import { type HttpsServer, issueLoopback, startHttpsServer } from '../../http/https-server.fixture.js';
import { type TokenVolume } from '../../token-file/token-volume.fixture.js';
import { CertificateAuthority } from '../../../testing/local-cluster/certificates.js';
import { type DestinationServer, OutboundBench } from './outbound.fixture.js';

const HOST = 'service2.mytest.svc';
const STATUSES = [301, 302, 303, 307, 308];

let bench: OutboundBench;
let home: DestinationServer;
let elsewhere: DestinationServer;
let volume: TokenVolume;
let token: string;
let origin: string;

beforeEach(async () => {
  bench = new OutboundBench();
  home = await bench.server();
  elsewhere = await bench.server();
  ({ volume, token } = await bench.tokenVolume());
  origin = home.origin(HOST);
});

afterEach(() => bench.close());

/** `/start` redirects to `location`; everything else is answered. */
function redirectStart(server: DestinationServer, status: number, location: string): void {
  server.answer = ({ url }, response) =>
    url === '/start' ? response.writeHead(status, { location }).end() : response.end('arrived');
}

function client(defaults = {}) {
  return bench.client(bench.tokenSource({ [origin]: volume }), defaults);
}

describe.each(STATUSES)('a redirect with %i', (status) => {
  it.each([
    ['relative', () => '/end'],
    ['absolute', () => `${origin}/end`],
    ['without a scheme', () => `${origin.slice('http:'.length)}/end`],
  ])('keeps the token within the origin: %s', async (_name, location) => {
    redirectStart(home, status, location());
    await client().post(`${origin}/start`, 'body');
    expect(home.arrivals.map(({ authorization }) => authorization)).toEqual(Array(2).fill(`Bearer ${token}`));
  });

  it.each([
    ['another host', (port: string) => `http://other.test:${port}/end`],
    ['a subdomain', (port: string) => `http://sub.${HOST}:${port}/end`],
    ['the parent domain', (port: string) => `http://mytest.svc:${port}/end`],
    ['the address', (port: string) => `http://127.0.0.1:${port}/end`],
    ['another host without a scheme', (port: string) => `//other.test:${port}/end`],
  ])('drops the token when it leads to %s', async (_name, locationWith) => {
    redirectStart(home, status, locationWith(new URL(origin).port));
    const { data } = await client().get<string>(`${origin}/start`);
    expect(data).toBe('arrived');
    expect(home.arrivals.map(({ authorization }) => authorization)).toEqual([`Bearer ${token}`, undefined]);
  });

  it('drops the token when it leads to another port', async () => {
    redirectStart(home, status, `${elsewhere.origin(HOST)}/end`);
    await client().get(`${origin}/start`);
    expect(elsewhere.last).toMatchObject({ url: '/end', authorization: undefined });
  });

  it('adds no token when it leads to another listed destination', async () => {
    const second = await bench.tokenVolume();
    const source = bench.tokenSource({ [origin]: volume, [elsewhere.origin(HOST)]: second.volume });
    redirectStart(home, status, `${elsewhere.origin(HOST)}/end`);
    await bench.client(source).get(`${origin}/start`);
    expect(elsewhere.last).toMatchObject({ url: '/end', authorization: undefined });
  });

  it('adds no token when it leads from an unlisted origin to a listed destination', async () => {
    redirectStart(elsewhere, status, `${origin}/end`);
    await client().get(`${elsewhere.origin()}/start`);
    expect(home.last).toMatchObject({ url: '/end', authorization: undefined });
  });

  it('adds no token when a second redirect leads back to the origin', async () => {
    redirectStart(home, status, `${elsewhere.origin()}/start`);
    redirectStart(elsewhere, status, `${origin}/end`);
    await client().get(`${origin}/start`);
    expect(home.arrivals.map(({ authorization }) => authorization)).toEqual([`Bearer ${token}`, undefined]);
  });

  it('is not followed with maxRedirects 0', async () => {
    redirectStart(home, status, `${elsewhere.origin()}/end`);
    const answer = await client({ maxRedirects: 0, validateStatus: null }).get(`${origin}/start`);
    expect(answer.status).toBe(status);
    expect(home.last?.authorization).toBe(`Bearer ${token}`);
    expect(elsewhere.arrivals).toHaveLength(0);
  });

  it('follows the same rules with the fetch adapter', async () => {
    const source = bench.tokenSource({ [home.origin()]: volume });
    const fetching = bench.client(source, { adapter: 'fetch' });
    redirectStart(home, status, `${elsewhere.origin()}/start`);
    redirectStart(elsewhere, status, `${home.origin()}/end`);
    await fetching.get(`${home.origin()}/start`);
    redirectStart(home, status, '/end');
    await fetching.get(`${home.origin()}/start`);
    const bearer = `Bearer ${token}`;
    expect(home.arrivals.map(({ authorization }) => authorization)).toEqual([
      bearer,
      undefined,
      bearer,
      bearer,
    ]);
    expect(elsewhere.last).toMatchObject({ url: '/start', authorization: undefined });
  });
});

describe('a redirect to another scheme', () => {
  let secure: HttpsServer;
  let ca: string;
  let authorizations: (string | undefined)[];

  beforeAll(async () => {
    const authority = await CertificateAuthority.create();
    ca = authority.pem;
    secure = await startHttpsServer(await issueLoopback(authority), ({ headers, url }, response) => {
      authorizations.push(headers.authorization);
      if (url === '/start') response.writeHead(302, { location: `${home.origin()}/end` });
      response.end();
    });
  });

  beforeEach(() => {
    authorizations = [];
  });

  afterAll(() => secure.close());

  it('drops the token from http to https', async () => {
    const source = bench.tokenSource({ [home.origin()]: volume });
    redirectStart(home, 302, `${secure.url}/end`);
    await bench.client(source, { httpsAgent: new Agent({ ca }) }).get(`${home.origin()}/start`);
    expect(home.last?.authorization).toBe(`Bearer ${token}`);
    expect(authorizations).toEqual([undefined]);
  });

  it('drops the token from https to http', async () => {
    const source = bench.tokenSource({ [secure.url]: volume });
    await bench.client(source, { httpsAgent: new Agent({ ca }) }).get(`${secure.url}/start`);
    expect(authorizations).toEqual([`Bearer ${token}`]);
    expect(home.last).toMatchObject({ url: '/end', authorization: undefined });
  });
});

describe("the caller's beforeRedirect", () => {
  it('is called, and may stop the redirect', async () => {
    redirectStart(home, 302, '/end');
    const hops: unknown[] = [];
    await client({ beforeRedirect: ({ href }: { href: string }) => hops.push(href) }).get(`${origin}/start`);
    expect(hops).toEqual([`${origin}/end`]);
    const refuse = () => {
      throw new Error('not there');
    };
    await expect(client({ beforeRedirect: refuse }).get(`${origin}/start`)).rejects.toThrow('not there');
  });

  it('cannot see the token or send it to another origin', async () => {
    redirectStart(home, 307, `${elsewhere.origin()}/end`);
    const seen: unknown[] = [];
    const carry = (
      hop: { headers: Record<string, string> },
      _response: unknown,
      request: { headers: Record<string, string> },
    ) => {
      seen.push({ ...hop.headers }, { ...request.headers });
      Object.assign(hop.headers, request.headers, { 'X-Kept': `Bearer ${token}`, 'X-Mine': '1' });
    };
    await client({ beforeRedirect: carry }).get(`${origin}/start`);
    expect(JSON.stringify(seen)).not.toContain(token);
    expect(JSON.stringify(elsewhere.last)).not.toContain(token);
    expect(elsewhere.last?.headers).toMatchObject({ 'x-mine': '1' });
  });

  it('may set its own credentials for the other origin', async () => {
    redirectStart(home, 307, `${elsewhere.origin()}/end`);
    const login = ({ headers }: { headers: Record<string, string> }) =>
      (headers['Authorization'] = 'Basic mine');
    await client({ beforeRedirect: login }).get(`${origin}/start`);
    expect(elsewhere.last?.authorization).toBe('Basic mine');
  });

  it('cannot send a hop to another host than the one in its URL', async () => {
    redirectStart(home, 307, '/end');
    const divert = (hop: { port: string }) => (hop.port = new URL(elsewhere.origin()).port);
    await client({ beforeRedirect: divert }).get(`${origin}/start`);
    expect(elsewhere.last).toMatchObject({ url: '/end', authorization: undefined });
  });
});
