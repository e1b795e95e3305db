import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { CapturedLog, outcome } from '../api-server/own-cluster.fixture.js';
import { VerifierUnavailableError } from '../errors.js';
import { type VerificationKey, verificationKeyOf } from '../jwt/verification-key.js';
import { type Attempt, type FetchedKeys, KeySourceError } from './key-source.js';
import { PUBLISHED_KEYS, RefreshedKeys } from './refreshed-keys.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ISSUERS = ['https://issuer.example'];

const first = newKey();
const second = newKey();

let clock: FakeClock;
let log: CapturedLog;
let answer: (attempt: Attempt) => Promise<readonly VerificationKey[]>;
let fetches: number[];
let keys: RefreshedKeys;

beforeEach(() => {
  clock = new FakeClock();
  log = new CapturedLog();
  fetches = [];
  answer = () => Promise.resolve([first]);
  keys = new RefreshedKeys({ fetch }, { policy: PUBLISHED_KEYS, clock, log, random: () => 0.5 });
});
afterEach(() => keys.stop());

async function fetch(attempt: Attempt): Promise<FetchedKeys> {
  fetches.push(clock.monotonicMs());
  return { issuers: ISSUERS, keys: await answer(attempt) };
}

function newKey(): VerificationKey {
  return verificationKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
}

/** The number of keys that were found, or the error code. */
async function ask({ keyId }: VerificationKey): Promise<unknown> {
  const found = await outcome((async () => keys.find({ alg: 'ES256', kid: keyId }))());
  if (Array.isArray(found)) return found.length;
  expect(found).toBeInstanceOf(VerifierUnavailableError);
  return 'unavailable';
}

/** Waits until the first attempt ends, before the clock advances. */
async function start(): Promise<void> {
  keys.start();
  await clock.advance(0);
}

const fail = (message = 'away') => Promise.reject<readonly VerificationKey[]>(new Error(message));
const hang = () => new Promise<never>(() => {});

describe('RefreshedKeys', () => {
  it('shares one fetch among all callers that wait for the first keys', async () => {
    expect(await Promise.all(Array.from({ length: 100 }, () => ask(first)))).toEqual(Array(100).fill(1));
    expect(fetches).toHaveLength(1);
  });

  it('returns a key that it has synchronously', async () => {
    expect(keys.knownIssuers()).toBeUndefined();
    await ask(first);
    expect(keys.find({ alg: 'ES256', kid: first.keyId })).toEqual([first]);
    expect(keys.issuers()).toEqual(ISSUERS);
  });

  it('fetches every 5 minutes, and drops a key that the issuer removed', async () => {
    await start();
    await clock.advance(5 * MINUTE_MS - 1);
    expect(fetches).toEqual([0]);
    answer = () => Promise.resolve([second]);
    await clock.advance(1);
    expect(fetches).toEqual([0, 5 * MINUTE_MS]);
    expect(await ask(first)).toBe(0);
    expect(await ask(second)).toBe(1);
    await clock.advance(20 * MINUTE_MS);
    expect(fetches).toHaveLength(6);
  });

  it('fetches for an unknown key ID, but never within 10 s of the last attempt', async () => {
    await start();
    await clock.advance(9_999);
    answer = () => Promise.resolve([first, second]);
    expect(await ask(second)).toBe(0);
    await clock.advance(1);
    expect(await Promise.all([ask(second), ask(second), ask(first)])).toEqual([1, 1, 1]);
    expect(fetches).toEqual([0, 10_000]);
    // The next background fetch is 5 minutes later.
    await clock.advance(5 * MINUTE_MS - 1);
    expect(fetches).toHaveLength(2);
    await clock.advance(1);
    expect(fetches).toHaveLength(3);
  });

  it('distinguishes an unknown key from a failed fetch', async () => {
    answer = () => fail();
    expect(await ask(first)).toBe('unavailable');
    answer = () => Promise.resolve([first]);
    await clock.advance(10_000);
    expect(await ask(first)).toBe(1);
    expect(await ask(second)).toBe(0);
    answer = () => fail();
    await clock.advance(5 * MINUTE_MS);
    expect(await ask(second)).toBe('unavailable');
    expect(await ask(first)).toBe(1);
  });

  it('keeps the keys of the last successful attempt for one day', async () => {
    await ask(first);
    answer = () => fail();
    await clock.advance(24 * HOUR_MS);
    expect(await ask(first)).toBe(1);
    clock.jumpWall(-48 * HOUR_MS);
    await clock.advance(1);
    expect(await ask(first)).toBe('unavailable');
    expect(keys.knownIssuers()).toEqual(ISSUERS);
    await expect((async () => keys.issuers())()).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
    });
    answer = () => Promise.resolve([first]);
    await clock.advance(10_000);
    expect(await ask(first)).toBe(1);
  });

  it('ends a hanging attempt after 5 s, and uses the current keys in the meantime', async () => {
    await ask(first);
    let attempt: Attempt | undefined;
    answer = (given) => {
      attempt = given;
      return hang();
    };
    await clock.advance(10_000);
    const waiting = ask(second);
    await clock.advance(4_999);
    expect(attempt?.remainingMs()).toBe(1);
    expect(attempt?.signal.aborted).toBe(false);
    expect(await ask(first)).toBe(1);
    await clock.advance(1);
    expect(await waiting).toBe('unavailable');
    expect(attempt?.signal.aborted).toBe(true);
    expect(attempt?.remainingMs()).toBe(0);
    expect(keys.readiness()).toMatchObject({ status: 'degraded' });
  });
});

describe('RefreshedKeys readiness', () => {
  it('is not ready before the first keys, and degraded after a failed refresh', async () => {
    expect(keys.readiness()).toEqual({ status: 'not-ready', reason: 'keys have not been fetched yet' });
    answer = () => fail('first outage');
    await ask(first);
    expect(keys.readiness()).toEqual({ status: 'not-ready', reason: 'first outage' });
    answer = () => Promise.resolve([first]);
    await clock.advance(10_500);
    expect(keys.readiness()).toEqual({ status: 'ready' });
    answer = () => fail('second outage');
    await clock.advance(5 * MINUTE_MS);
    expect(keys.readiness()).toEqual({ status: 'degraded', reason: 'second outage' });
  });

  it('is not ready without the right to read, even with keys', async () => {
    await ask(first);
    answer = () => Promise.reject(new KeySourceError('right is missing', true));
    await clock.advance(5 * MINUTE_MS);
    // An API server that has just started has no roles for a short time.
    expect(keys.readiness()).toEqual({ status: 'degraded', reason: 'right is missing' });
    await clock.advance(10_500);
    expect(keys.readiness()).toEqual({ status: 'not-ready', reason: 'right is missing' });
    expect(await ask(first)).toBe(1);
    answer = () => Promise.resolve([first]);
    await clock.advance(10_500);
    expect(keys.readiness()).toEqual({ status: 'ready' });
  });

  it('waits for a second refusal in a row only if it has keys', async () => {
    const refuse = () => Promise.reject(new KeySourceError('right is missing', true));
    answer = refuse;
    await start();
    expect(keys.readiness()).toEqual({ status: 'not-ready', reason: 'right is missing' });
    answer = () => Promise.resolve([first]);
    await clock.advance(10_500);
    answer = refuse;
    await clock.advance(5 * MINUTE_MS);
    answer = () => fail();
    await clock.advance(10_500);
    answer = refuse;
    await clock.advance(10_500);
    expect(keys.readiness()).toEqual({ status: 'degraded', reason: 'right is missing' });
  });

  it('logs a lasting failure once a minute', async () => {
    answer = () => fail();
    await start();
    await clock.advance(2 * MINUTE_MS);
    expect(fetches.length).toBeGreaterThan(10);
    expect(log.messages('warn')).toEqual(Array(2).fill('keys could not be fetched: away'));
    answer = () => Promise.reject(new KeySourceError('right is missing', true));
    await clock.advance(MINUTE_MS);
    expect(log.messages('error')).toEqual(['keys could not be fetched: right is missing']);
  });
});

describe('RefreshedKeys when stopped', () => {
  it('leaves no timer and makes no further attempts', async () => {
    keys.start();
    keys.start();
    await clock.advance(0);
    expect(fetches).toHaveLength(1);
    expect(clock.pendingTimers).toBe(1);
    keys.stop();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(HOUR_MS);
    expect(await ask(second)).toBe(0);
    expect(fetches).toHaveLength(1);
    expect(await ask(first)).toBe(1);
  });

  it('aborts the running attempt without a log line', async () => {
    answer = hang;
    const waiting = ask(first);
    keys.stop();
    expect(await waiting).toBe('unavailable');
    expect(clock.pendingTimers).toBe(0);
    expect(log.events).toEqual([]);
  });
});
