import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Agent, request } from 'undici';
import { FakeClock } from '../fake-clock.js';
import { ApiClient } from './api-client.fixture.js';
import { type Fault } from './faults.js';
import { LocalCluster } from './local-cluster.js';

const METADATA = '/.well-known/openid-configuration';
const JWKS = '/openid/v1/jwks';

describe('faults', () => {
  let clock: FakeClock;
  let cluster: LocalCluster;
  let client: ApiClient;
  let token: string;

  beforeEach(async () => {
    clock = new FakeClock();
    cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256' });
    client = new ApiClient(cluster);
    token = await cluster.createToken({ namespace: 'default', serviceAccount: 'default' });
  });

  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  const get = (path = METADATA) => client.ask('GET', path, { token });
  const spoil = (fault: Fault, times?: number) => cluster.faults.set({ on: 'discovery', fault, times });

  it('status: another status with its headers', async () => {
    spoil({ kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    const { status, headers, json } = await get();
    expect(status).toBe(429);
    expect(headers).toMatchObject({ 'retry-after': '7', 'content-type': 'application/json' });
    expect(json()).toMatchObject({ kind: 'Status', status: 'Failure', code: 429 });
  });

  it('status: another status with a given body', async () => {
    const headers = { 'content-type': 'text/html' };
    spoil({ kind: 'status', status: 502, body: '<h1>bad gateway</h1>', headers });
    expect(await get()).toMatchObject({ status: 502, text: '<h1>bad gateway</h1>', headers });
  });

  it('delay: the real answer later, by the cluster’s clock', async () => {
    spoil({ kind: 'delay', ms: 5_000 });
    let answered = false;
    const pending = get().then((answer) => {
      answered = true;
      return answer;
    });
    await cluster.requests.waitFor({ endpoint: 'discovery' });
    await clock.advance(4_999);
    expect([answered, clock.pendingTimers]).toEqual([false, 1]);
    await clock.advance(1);
    expect((await pending).json().issuer).toBe(cluster.issuer);
  });

  it('hang: no answer while the connection stays', async () => {
    spoil({ kind: 'hang' });
    const abort = new AbortController();
    const agent = new Agent({ connect: { ca: cluster.ca } });
    const options = { dispatcher: agent, signal: abort.signal };
    const outcome = request(`${cluster.url}${METADATA}`, options).catch((error: Error) => error.name);
    await cluster.requests.waitFor({ endpoint: 'discovery' });
    expect(cluster.requests.list()[0]).not.toHaveProperty('status');
    abort.abort();
    expect(await outcome).toBe('AbortError');
    await agent.destroy();
  });

  it('reset: the connection is reset, not ended', async () => {
    spoil({ kind: 'reset' });
    await expect(get()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('cut: the body ends half way', async () => {
    spoil({ kind: 'cut' });
    const agent = new Agent({ connect: { ca: cluster.ca } });
    const headers = { authorization: `Bearer ${token}` };
    const response = await request(`${cluster.url}${METADATA}`, { dispatcher: agent, headers });
    expect(response.statusCode).toBe(200);
    let received = 0;
    const reading = (async () => {
      for await (const chunk of response.body as AsyncIterable<Buffer>) received += chunk.length;
    })();
    await expect(reading).rejects.toThrow();
    expect(received).toBe(Math.floor(Number(response.headers['content-length']) / 2));
    await agent.destroy();
  });

  it('trickle: the real body, a byte at a time', async () => {
    spoil({ kind: 'trickle', ms: 10 });
    let isOver = false;
    const pending = get().finally(() => (isOver = true));
    await cluster.requests.waitFor({ endpoint: 'discovery' });
    await clock.advance(1_000);
    expect(isOver).toBe(false);
    while (!isOver) await clock.advance(100);
    expect((await pending).json().issuer).toBe(cluster.issuer);
    expect(clock.pendingTimers).toBe(0);
  });

  it('bad-framing: an answer that an HTTP parser rejects, with the real body in it', async () => {
    spoil({ kind: 'bad-framing' });
    const error: unknown = await get().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'HTTPParserError' });
    expect(inspect(error)).toContain('jwks_uri');
  });

  it('content-type: the real body with another media type', async () => {
    spoil({ kind: 'content-type', value: 'text/html' });
    const { headers, json } = await get();
    expect(headers['content-type']).toBe('text/html');
    expect(json().issuer).toBe(cluster.issuer);
  });

  it.each([
    [200_000, 200_000],
    [undefined, 16 * 1024 * 1024],
    [3, 3],
  ])('huge: a body of %p bytes that never closes its JSON', async (bytes, expected) => {
    spoil({ kind: 'huge', bytes });
    const { text } = await get();
    expect(text).toHaveLength(expected);
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });

  it('redirect: 307 to the given location', async () => {
    spoil({ kind: 'redirect', to: 'https://elsewhere.example/' });
    expect(await get()).toMatchObject({ status: 307, headers: { location: 'https://elsewhere.example/' } });
  });

  it('body: text, an object, or a change to the real one', async () => {
    spoil({ kind: 'body', body: '{"cut' }, 1);
    spoil({ kind: 'body', body: { issuer: 'https://other' } }, 1);
    spoil({ kind: 'body', body: (honest) => ({ ...honest, jwks_uri: 'file:///etc/passwd' }) }, 1);
    spoil({ kind: 'body', body: () => 'null' }, 1);
    const mistake = () => {
      throw new TypeError('mistake of the test');
    };
    spoil({ kind: 'body', body: mistake }, 1);
    expect((await get()).text).toBe('{"cut');
    expect((await get()).json()).toEqual({ issuer: 'https://other' });
    expect((await get()).json()).toMatchObject({ issuer: cluster.issuer, jwks_uri: 'file:///etc/passwd' });
    expect((await get()).text).toBe('null');
    expect((await get()).json()).toMatchObject({
      code: 500,
      message: 'Internal error occurred: mistake of the test',
    });
  });

  it('apply to one endpoint, or to all', async () => {
    spoil({ kind: 'status', status: 500 });
    expect([(await get()).status, (await get(JWKS)).status]).toEqual([500, 200]);
    cluster.faults.clear();
    cluster.faults.set({ on: '*', fault: { kind: 'status', status: 503 } });
    expect([(await get()).status, (await get(JWKS)).status, (await get('/nowhere')).status]).toEqual([
      503, 503, 503,
    ]);
  });

  it('with `times` apply in the order in which they were set, until they are used up', async () => {
    spoil({ kind: 'status', status: 429 }, 1);
    spoil({ kind: 'status', status: 500 }, 2);
    const statuses = [];
    for (let count = 0; count < 4; count++) statuses.push((await get()).status);
    expect(statuses).toEqual([429, 500, 500, 200]);
  });

  it('without `times` apply after those with `times`, replace each other, and can be removed', async () => {
    spoil({ kind: 'status', status: 500 });
    const lift = spoil({ kind: 'status', status: 502 });
    spoil({ kind: 'status', status: 429 }, 1);
    expect([(await get()).status, (await get()).status]).toEqual([429, 502]);
    lift();
    expect((await get()).status).toBe(200);
  });

  it('that happen before the endpoint prevent it from running', async () => {
    cluster.faults.set({ on: 'namespaces', fault: { kind: 'status', status: 500 }, times: 1 });
    const admin = await ApiClient.asAdministrator(cluster);
    const create = () => admin.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'shop' } } });
    expect([(await create()).status, (await create()).status]).toEqual([500, 201]);
    await admin.close();
  });
});
