import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../http/https-server.fixture.js';
import { ApiServerClient } from './api-server.client.js';
import { type OwnCredential } from './own-credential.js';
import { outcome, type OwnCluster, startOwnCluster } from './own-cluster.fixture.js';
import { TokenReviewClient } from './token-review.client.js';

const TIMEOUT_MS = 1_000;

let own: OwnCluster;
let client: ApiServerClient;
let reviews: TokenReviewClient;
let token: string;
/** Ends the hanging read of the credential. */
let release: () => void;
let reads: number;
let renewals: number;
/** Whether only the second read, after a 401, hangs. */
let hangsAfter401: boolean;

beforeEach(async () => {
  renewals = 0;
  hangsAfter401 = false;
  own = await startOwnCluster();
  const realCredential = own.connection.credential;
  reads = 0;
  const hanging = new Promise<void>((resolve) => (release = resolve));
  const credential: OwnCredential = {
    async token() {
      reads++;
      if (!hangsAfter401) await hanging;
      return realCredential?.token();
    },
    async renew() {
      renewals++;
      await hanging;
      return false;
    },
    claims: () => Promise.resolve(undefined),
  };
  client = new ApiServerClient({ ...own.connection, credential }, { ...own, random: () => 0 });
  reviews = new TokenReviewClient(client, { clock: own.clock, log: own.log, timeoutMs: TIMEOUT_MS });
  token = await own.cluster.createToken({
    namespace: 'shop',
    serviceAccount: 'orders',
    audiences: ['stock'],
  });
});

afterEach(async () => {
  release();
  reviews.close();
  await client.close();
  await own.close();
});

const review = () => outcome(reviews.review(token, ['stock']));
const refused = {
  name: 'VerifierUnavailableError',
  message: 'API server cannot be called without our own credential',
  retryAfterMs: 1_000,
  cause: { message: `own credential could not be read within ${TIMEOUT_MS} ms` },
};

describe('our own credential that cannot be read in time', () => {
  it('makes only the first callers wait: after their deadline, reviews are refused immediately', async () => {
    const first = Array.from({ length: 40 }, review);
    await own.clock.advance(TIMEOUT_MS);
    for (const one of await Promise.all(first)) expect(one).toMatchObject({ retryAfterMs: 1_000 });
    const atMs = own.clock.monotonicMs();
    for (let n = 0; n < 4; n++) expect(await review()).toMatchObject(refused);
    expect(own.clock.monotonicMs()).toBe(atMs);
    expect(own.log.messages('warn')).toEqual([
      'API server cannot be called without our own credential: requests are refused with 503 until it recovers',
    ]);
  });

  it('is used again within 500 ms after it can be read, without traffic in between', async () => {
    const first = review();
    await own.clock.advance(TIMEOUT_MS);
    await first;
    release();
    await own.clock.advance(500);
    await until(() => own.log.messages('log').includes('API server answers again'));
    expect(await review()).toMatchObject({ authenticated: true });
  });

  it('counts as an outage even if only the read after a 401 hangs', async () => {
    hangsAfter401 = true;
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status: 401 } });
    const first = review();
    await until(() => renewals === 1);
    await own.clock.advance(TIMEOUT_MS);
    await first;
    const atMs = own.clock.monotonicMs();
    for (let n = 0; n < 4; n++) expect(await review()).toMatchObject(refused);
    expect(own.clock.monotonicMs()).toBe(atMs);
  });

  it('makes the readiness check fail', async () => {
    const check = outcome(reviews.canReview());
    await own.clock.advance(TIMEOUT_MS);
    expect(await check).toMatchObject({ message: refused.cause.message });
    expect(reads).toBe(1);
  });
});
