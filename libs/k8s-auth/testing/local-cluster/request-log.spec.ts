import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../fake-clock.js';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';

const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

describe('the log of requests', () => {
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

  it('contains path, caller, time and status of each request, without the query', async () => {
    await client.ask('GET', '/openid/v1/jwks?x=y', { token });
    expect(cluster.requests.list()).toEqual([
      {
        method: 'GET',
        path: '/openid/v1/jwks',
        endpoint: 'jwks',
        user: 'system:serviceaccount:default:default',
        at: clock.wallMs(),
        status: 200,
      },
    ]);
  });

  it('counts requests by any member', async () => {
    await client.ask('GET', '/openid/v1/jwks', { token });
    await client.ask('GET', '/openid/v1/jwks');
    await client.ask('GET', '/nowhere', { token: 'x.y.z' });
    const { requests } = cluster;
    expect([
      requests.count(),
      requests.count({ endpoint: 'jwks' }),
      requests.count({ user: 'system:anonymous', status: 403 }),
      requests.count({ status: 401, user: undefined, endpoint: undefined }),
      requests.count({ method: 'POST' }),
    ]).toEqual([3, 2, 1, 1, 0]);
    requests.clear();
    expect([requests.count(), requests.connections, requests.handshakes]).toEqual([0, 0, 0]);
  });

  it('counts connections, which clients keep open', async () => {
    for (let count = 0; count < 3; count++) await client.ask('GET', '/livez');
    expect([cluster.requests.connections, cluster.requests.handshakes]).toEqual([1, 1]);
  });

  it('holds no token', async () => {
    cluster.grant('create tokenreviews', 'default/default');
    await client.review(token, token);
    await client.ask('POST', REVIEWS, { token: `${token}x`, body: { spec: { token } } });
    const text = inspect(cluster.requests, { depth: 10 });
    for (const part of token.split('.')) expect(text).not.toContain(part);
  });

  it('resolves waits for later requests', async () => {
    const waiting = cluster.requests.waitFor({ path: '/livez', status: 200 }, 2);
    let woken = false;
    void waiting.then(() => (woken = true));
    await client.ask('GET', '/livez');
    expect(woken).toBe(false);
    await client.ask('GET', '/livez');
    await waiting;
    expect(woken).toBe(true);
    await cluster.requests.waitFor();
  });
});
