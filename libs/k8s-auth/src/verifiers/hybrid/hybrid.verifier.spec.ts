import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createVerifier } from '../../../test-support/create-verifier.js';
import {
  OWN_ACCOUNT,
  outcome,
  type OwnCluster,
  startOwnCluster,
} from '../../api-server/own-cluster.fixture.js';
import { turn, until } from '../../http/https-server.fixture.js';
import { settled } from '../../../testing/verifier-bench.fixture.js';
import { type Verifier } from '../verifier.js';
import { hybridDefinition, type HybridOptions } from './hybrid.definition.js';

const REVIEWS = { endpoint: 'tokenreviews' } as const;
const PERIOD_MS = 60_000;

let own: OwnCluster;
let verifier: Verifier;

const create = (more: Partial<HybridOptions> = {}) => createVerifier(own, hybridDefinition, more);

async function recreate(more: Partial<HybridOptions>): Promise<void> {
  await verifier.close();
  verifier = await create(more);
}

beforeEach(async () => {
  own = await startOwnCluster();
  await own.cluster.createServiceAccount('shop', 'checkout');
  await own.cluster.createPod('shop', 'checkout-1', { serviceAccount: 'checkout' });
  verifier = await create();
});

afterEach(async () => {
  await verifier.close();
  await own.close();
});

function tokenFor(audiences: readonly string[] = ['orders'], expirationSeconds = 36_000): Promise<string> {
  const account = { namespace: 'shop', serviceAccount: 'checkout', pod: 'checkout-1' };
  return own.cluster.createToken({ ...account, audiences, expirationSeconds });
}

/** The principal's name, or the code of the error. */
async function verify(token: string, audiences: readonly string[] = ['orders']): Promise<string> {
  try {
    return (await verifier.verify(token, audiences)).principal.username;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const CHECKOUT = 'system:serviceaccount:shop:checkout';
const REJECTED = 'ERR_K8S_AUTH_TOKEN_REJECTED';
const UNAVAILABLE = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';

const reviews = () => own.cluster.requests.count(REVIEWS);

describe('the number of reviews', () => {
  it('is one for 64 concurrent first uses of a token', async () => {
    const token = await tokenFor();
    const names = await Promise.all(Array.from({ length: 64 }, () => verify(token)));
    expect(new Set(names)).toEqual(new Set([CHECKOUT]));
    expect(reviews()).toBe(1);
  });

  it('is one for all audiences that routes require', async () => {
    const token = await tokenFor(['orders', 'stock']);
    expect(await verify(token, ['orders'])).toBe(CHECKOUT);
    expect(await verify(token, ['stock'])).toBe(CHECKOUT);
    expect(await verify(token, ['billing'])).toBe('ERR_K8S_AUTH_TOKEN_AUDIENCE');
    expect(reviews()).toBe(1);
  });

  it('is 0 for tokens that fail local verification', async () => {
    const forged = (await tokenFor()).replace(/\.[^.]+$/, '.c2ln');
    expect(await verify(forged)).toBe('ERR_K8S_AUTH_TOKEN_SIGNATURE');
    expect(await verify(await tokenFor(['stock']))).toBe('ERR_K8S_AUTH_TOKEN_AUDIENCE');
    expect(await verify(await tokenFor(['orders'], -60))).toBe('ERR_K8S_AUTH_TOKEN_EXPIRED');
    expect(reviews()).toBe(0);
  });

  it('is one for a token that is used once', async () => {
    expect(await verify(await tokenFor())).toBe(CHECKOUT);
    await own.clock.advance(10 * PERIOD_MS);
    expect(reviews()).toBe(1);
  });
});

describe('a token in use', () => {
  it('does not wait for a review while the last answer is younger than the period', async () => {
    const token = await tokenFor();
    await verify(token);
    expect(await verify(token)).toBe(CHECKOUT);
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'hang' } });
    // The next answer is asked for now, and does not come.
    await own.clock.advance(PERIOD_MS - 500);
    await own.cluster.requests.waitFor(REVIEWS, 2);
    expect(await verify(token)).toBe(CHECKOUT);
  });

  it('is refused within the period after its pod was deleted', async () => {
    const token = await tokenFor();
    await verify(token);
    await verify(token);
    await own.cluster.deletePod('shop', 'checkout-1');
    expect(await verify(token)).toBe(CHECKOUT);
    await own.clock.advance(PERIOD_MS - 500);
    await own.cluster.requests.waitFor(REVIEWS, 2);
    await own.clock.advance(500);
    expect(await verify(token)).toBe(REJECTED);
    expect(reviews()).toBe(2);
  });

  it('is refused after its ServiceAccount was deleted and created again', async () => {
    const token = await tokenFor();
    await verify(token);
    await own.cluster.deleteServiceAccount('shop', 'checkout');
    await own.cluster.createServiceAccount('shop', 'checkout');
    await own.clock.advance(PERIOD_MS);
    expect(await verify(token)).toBe(REJECTED);
  });

  it('is refused when the review names another ServiceAccount', async () => {
    own.cluster.faults.set({
      on: 'tokenreviews',
      fault: {
        kind: 'body',
        body: (honest) => ({
          ...honest,
          status: {
            authenticated: true,
            audiences: ['orders'],
            user: { username: 'system:serviceaccount:shop:admin', uid: '1' },
          },
        }),
      },
    });
    expect(await verify(await tokenFor())).toBe(REJECTED);
  });

  it('that was refused stays refused for one period without another review', async () => {
    const token = await tokenFor();
    await own.cluster.deletePod('shop', 'checkout-1');
    expect(await verify(token)).toBe(REJECTED);
    await own.clock.advance(PERIOD_MS - 1);
    expect(await verify(token)).toBe(REJECTED);
    expect(reviews()).toBe(1);
    await own.clock.advance(1);
    expect(await verify(token)).toBe(REJECTED);
    expect(reviews()).toBe(2);
  });
});

/** So that callers do not wait: the API server refuses connections. */
function goAway(): () => void {
  return own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'reset' } });
}

async function afterRetries(result: Promise<string>): Promise<string> {
  // The own token's file is read in real time, and that read has a deadline too: the clock stands still until the review
  // has arrived, or none is sent.
  const reviewsBefore = reviews();
  let isSettled = false;
  void result.finally(() => (isSettled = true));
  await until(() => isSettled || reviews() > reviewsBefore);
  return settled(own, result);
}

describe('while the API server is unreachable', () => {
  it("'refuse' accepts a token until its last answer is one period old, then answers 503", async () => {
    const token = await tokenFor();
    await verify(token);
    goAway();
    await own.clock.advance(PERIOD_MS - 10);
    expect(await verify(token)).toBe(CHECKOUT);
    await own.clock.advance(10);
    expect(await afterRetries(verify(token))).toBe(UNAVAILABLE);
  });

  it("'refuse' answers 503 to a token that was never reviewed", async () => {
    await verify(await tokenFor());
    goAway();
    expect(await afterRetries(verify(await tokenFor()))).toBe(UNAVAILABLE);
  });

  it("'accept-until-expiry' accepts a reviewed token by its signature alone until it expires", async () => {
    await recreate({ whenUnavailable: 'accept-until-expiry' });
    const token = await tokenFor(['orders'], 70);
    await verify(token);
    goAway();
    await own.clock.advance(PERIOD_MS);
    expect(await afterRetries(verify(token))).toBe(CHECKOUT);
    await own.clock.advance(41_000);
    expect(await verify(token)).toBe('ERR_K8S_AUTH_TOKEN_EXPIRED');
  });

  it("'accept-until-expiry' accepts a token that was never reviewed", async () => {
    await recreate({ whenUnavailable: 'accept-until-expiry' });
    await verify(await tokenFor());
    goAway();
    expect(await afterRetries(verify(await tokenFor()))).toBe(CHECKOUT);
  });

  it("'accept-until-expiry' keeps refusing a token that was revoked before the outage", async () => {
    await recreate({ whenUnavailable: 'accept-until-expiry' });
    const token = await tokenFor();
    await own.cluster.deletePod('shop', 'checkout-1');
    expect(await verify(token)).toBe(REJECTED);
    goAway();
    await own.clock.advance(PERIOD_MS);
    expect(await afterRetries(verify(token))).toBe(REJECTED);
  });

  it('a revocation is noticed at most 10 s after the API server is reachable again', async () => {
    await recreate({ whenUnavailable: 'accept-until-expiry' });
    const token = await tokenFor();
    await verify(token);
    const comeBack = goAway();
    await own.cluster.deletePod('shop', 'checkout-1');
    await own.clock.advance(PERIOD_MS);
    expect(await afterRetries(verify(token))).toBe(CHECKOUT);
    comeBack();
    // As a service in use does. The stand-in answers in real time, whatever the fake clock says.
    let outcome = CHECKOUT;
    for (let second = 0; outcome === CHECKOUT && second < 60; second++) {
      await own.clock.advance(1_000);
      await turn();
      outcome = await afterRetries(verify(token));
    }
    expect(outcome).toBe(REJECTED);
  });
});

describe.each(['refuse', 'accept-until-expiry'] as const)(
  'hybrid with whenUnavailable %s',
  (whenUnavailable) => {
    beforeEach(() => recreate({ whenUnavailable }));

    it('answers 503 and is not ready while the right to create tokenreviews is missing', async () => {
      own.cluster.revoke('create tokenreviews', OWN_ACCOUNT);
      expect(await verify(await tokenFor())).toBe(UNAVAILABLE);
      expect(verifier.readiness()).toMatchObject({ status: 'not-ready' });
    });

    it('answers 503 while the own credential is refused', async () => {
      await verify(await tokenFor());
      own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status: 401 } });
      expect(await verify(await tokenFor())).toBe(UNAVAILABLE);
    });

    it('is ready once it has keys and an answer', async () => {
      expect(verifier.readiness().status).not.toBe('ready');
      verifier.start();
      await until(() => verifier.readiness().status === 'ready');
    });

    it('leaves no timer behind', async () => {
      verifier.start();
      const token = await tokenFor();
      await verify(token);
      await verify(token);
      await verifier.close();
      expect(own.clock.pendingTimers).toBe(0);
    });
  },
);

it("before the first answer of the API server, readiness is not ready with 'refuse' and degraded with 'accept-until-expiry'", async () => {
  for (const on of ['tokenreviews', 'accessreviews'] as const) {
    own.cluster.faults.set({ on, fault: { kind: 'reset' } });
  }
  expect(await afterRetries(verify(await tokenFor()))).toBe(UNAVAILABLE);
  expect(verifier.readiness().status).toBe('not-ready');
  await recreate({ whenUnavailable: 'accept-until-expiry' });
  verifier.start();
  // Once the keys are there, before the clock is turned: their fetch has a deadline, too.
  await until(() => verifier.readiness().status !== 'not-ready');
  expect(await afterRetries(verify(await tokenFor()))).toBe(CHECKOUT);
  expect(verifier.readiness().status).toBe('degraded');
});

it('hybrid keeps no token text', async () => {
  const token = await tokenFor();
  await verify(token);
  await own.cluster.deletePod('shop', 'checkout-1');
  await own.clock.advance(PERIOD_MS);
  const error = await outcome((async () => verifier.verify(token, ['orders']))());
  expect(JSON.stringify([error, own.log.events])).not.toContain(token.split('.')[2]);
});
