import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VerifierUnavailableError } from '../errors.js';
import { until } from '../http/https-server.fixture.js';
import { startDeadline } from '../util/timers.js';
import { type ApiServerRequest } from './api-server.request.js';
import { outcome, type OwnCluster, startOwnCluster } from './own-cluster.fixture.js';

let own: OwnCluster;

beforeEach(async () => {
  own = await startOwnCluster();
});

afterEach(() => own.close());

function ask(more: Partial<ApiServerRequest> = {}, timeoutMs = 5_000) {
  const deadline = startDeadline(own.clock, timeoutMs);
  return own.client
    .request({ method: 'GET', path: '/openid/v1/jwks', accept: '*/*', deadline, ...more })
    .finally(() => deadline.cancel());
}

/** Advances the clock over each wait, after the client has begun that wait. */
async function passWaits(...waitsMs: number[]): Promise<void> {
  for (const [index, waitMs] of waitsMs.entries()) {
    await untilWaiting(index + 1);
    await own.clock.advance(waitMs);
  }
}

const untilWaiting = (times: number) => until(() => own.waits() === times);

const tries = () => own.cluster.requests.count();

describe('ApiServerClient retries', () => {
  it.each([429, 500, 503, 504])('after status %d, until the API server answers', async (status) => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status }, times: 2 });
    const asked = ask();
    await passWaits(500, 750);
    await expect(asked).resolves.toMatchObject({ status: 200 });
    expect(tries()).toBe(3);
    expect(own.clock.pendingTimers).toBe(0);
  });

  it.each(['reset', 'cut'] as const)('after a connection failure (%s)', async (kind) => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind }, times: 1 });
    const asked = ask();
    await passWaits(500);
    await expect(asked).resolves.toMatchObject({ status: 200 });
    expect(tries()).toBe(2);
  });

  it('after a refused connection, until the API server recovers', async () => {
    await own.cluster.outage();
    const asked = ask();
    await passWaits(500);
    await untilWaiting(2);
    await own.cluster.recover();
    await own.clock.advance(750);
    await expect(asked).resolves.toMatchObject({ status: 200 });
  });

  it.each([400, 403, 404, 501])('not after status %d, which is an answer', async (status) => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status } });
    await expect(ask()).resolves.toMatchObject({ status });
    expect(tries()).toBe(1);
  });

  it('not when the caller sets retry to false', async () => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status: 503 } });
    await expect(ask({ retry: false })).rejects.toBeInstanceOf(VerifierUnavailableError);
    expect(tries()).toBe(1);
  });
});

describe('ApiServerClient limits retries', () => {
  it('to five tries, each wait longer than the one before', async () => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status: 500 } });
    const asked = outcome(ask({}, 30_000));
    await passWaits(500, 750, 1125, 1687.5);
    expect(await asked).toMatchObject({
      code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
      message: 'API server answered 500',
    });
    expect(tries()).toBe(5);
    expect(own.clock.monotonicMs()).toBe(500 + 750 + 1125 + 1687.5);
  });

  it('to the tries that can begin before the deadline', async () => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status: 500 } });
    const asked = outcome(ask({}, 1_000));
    await passWaits(500);
    expect(await asked).toBeInstanceOf(VerifierUnavailableError);
    expect(tries()).toBe(2);
    expect(own.clock.monotonicMs()).toBe(500);
  });

  it('to one after the Retry-After time, if that is before the deadline', async () => {
    const fault = { kind: 'status', status: 429, headers: { 'retry-after': '3' } } as const;
    own.cluster.faults.set({ on: 'jwks', fault, times: 1 });
    const asked = ask();
    await untilWaiting(1);
    await own.clock.advance(2_999);
    expect(tries()).toBe(1);
    await own.clock.advance(1);
    await expect(asked).resolves.toMatchObject({ status: 200 });
  });

  it('to none if Retry-After exceeds the deadline, and the error has the Retry-After time', async () => {
    const fault = { kind: 'status', status: 429, headers: { 'retry-after': '7' } } as const;
    own.cluster.faults.set({ on: 'jwks', fault });
    await expect(ask()).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
      retryAfterMs: 7_000,
    });
    expect(tries()).toBe(1);
    expect(own.clock.monotonicMs()).toBe(0);
  });
});

describe('the deadline of an ApiServerClient request', () => {
  it('ends a request that hangs', async () => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'hang' } });
    const asked = outcome(ask());
    await own.cluster.requests.waitFor();
    await own.clock.advance(5_000);
    expect(await asked).toMatchObject({
      code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
      message: 'no answer of the API server within 5000 ms',
    });
    expect(own.clock.pendingTimers).toBe(0);
  });

  it('ends a request whose retry hangs', async () => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status: 500 }, times: 1 });
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'hang' } });
    const asked = outcome(ask());
    await passWaits(500);
    await own.cluster.requests.waitFor({}, 2);
    await own.clock.advance(4_500);
    expect(await asked).toBeInstanceOf(VerifierUnavailableError);
  });
});
