import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { CapturedLog, outcome } from '../api-server/own-cluster.fixture.js';
import { VerifierUnavailableError } from '../errors.js';
import { type VerificationKey, verificationKeyOf } from '../jwt/verification-key.js';
import { KeySourceError } from './key-source.js';
import { PUBLISHED_KEYS, RefreshedKeys } from './refreshed-keys.js';

const key = newKey();

let clock: FakeClock;
let log: CapturedLog;
let answer: () => Promise<readonly VerificationKey[]>;
let fetches: number[];
let made: RefreshedKeys[];

beforeEach(() => {
  clock = new FakeClock();
  log = new CapturedLog();
  fetches = [];
  made = [];
});
afterEach(() => made.forEach((keys) => keys.stop()));

function withJitter(jitter: number): RefreshedKeys {
  const source = {
    fetch: async () => {
      fetches.push(clock.monotonicMs());
      return { issuers: ['https://issuer.example'], keys: await answer() };
    },
  };
  const keys = new RefreshedKeys(source, { policy: PUBLISHED_KEYS, clock, log, random: () => jitter });
  made.push(keys);
  return keys;
}

function newKey(): VerificationKey {
  return verificationKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
}

const succeed = () => Promise.resolve([key]);
const fail = () => Promise.reject<readonly VerificationKey[]>(new Error('away'));
const ask = (keys: RefreshedKeys, { keyId }: VerificationKey) =>
  outcome((async () => keys.find({ alg: 'ES256', kid: keyId }))());

describe('RefreshedKeys', () => {
  it.each([
    ['good', succeed],
    ['bad', fail],
  ])('with keys makes at most six %s attempts per minute during a flood', async (_, result) => {
    answer = succeed;
    const keys = withJitter(0);
    await ask(keys, key);
    await clock.advance(10_000);
    fetches = [];
    answer = result;
    const unknown = newKey();
    for (let second = 0; second < 60; second++) {
      await Promise.all(Array.from({ length: 20 }, () => ask(keys, unknown)));
      await clock.advance(second < 59 ? 1_000 : 999);
    }
    expect(fetches).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  });

  it('without keys tries once a second, even with many callers', async () => {
    answer = fail;
    const keys = withJitter(0);
    for (let step = 0; step < 50; step++) {
      await Promise.all(Array.from({ length: 20 }, () => ask(keys, key)));
      await clock.advance(100);
    }
    expect(fetches).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000]);
    answer = succeed;
    await clock.advance(1_000);
    expect(await ask(keys, key)).toEqual([key]);
    await clock.advance(9_999);
    await ask(keys, newKey());
    expect(fetches).toHaveLength(7);
  });

  it('without keys makes callers wait at most 1 s for a later attempt that hangs', async () => {
    answer = fail;
    const keys = withJitter(0);
    await ask(keys, key);
    answer = () => new Promise<never>(() => {});
    await clock.advance(1_000);
    const waiting = ask(keys, key);
    await clock.advance(1_000);
    expect(await waiting).toMatchObject({ retryAfterMs: 1_000, cause: { message: 'away' } });
    expect(fetches).toHaveLength(2);
  });

  it.each([
    [0, 1_000],
    [0.5, 1_025],
    [1, 1_050],
  ])('retries after a failed attempt without a caller (jitter %d: %d ms)', async (jitter, dueMs) => {
    answer = fail;
    const keys = withJitter(jitter);
    keys.start();
    await clock.advance(0);
    await clock.advance(dueMs - 1);
    expect(fetches).toHaveLength(1);
    answer = succeed;
    await clock.advance(1);
    expect(fetches).toEqual([0, dueMs]);
    expect(await ask(keys, key)).toEqual([key]);
  });

  it('reports when to retry, after at least 1 s', async () => {
    answer = fail;
    const keys = withJitter(1);
    expect(await ask(keys, key)).toMatchObject({ retryAfterMs: 1_050, cause: { message: 'away' } });
    await clock.advance(900);
    expect(await ask(keys, key)).toMatchObject({ retryAfterMs: 1_000 });
  });

  it.each<[string, Error, number]>([
    ['seconds', new KeySourceError('key set: got 429', false, '30'), 30_000],
    ['a date', new KeySourceError('key set: got 503', false, 'Tue, 01 Jan 2030 00:00:45 GMT'), 45_000],
    ['more than a minute', new KeySourceError('key set: got 429', false, '3600'), 60_000],
    [
      'the time that the API server asked for',
      new VerifierUnavailableError('429', { retryAfterMs: 20_000 }),
      20_000,
    ],
    ['less than the cooldown', new KeySourceError('key set: got 429', false, '0'), 1_000],
  ])('makes no attempt before the time in Retry-After: %s', async (_, error, dueMs) => {
    answer = () => Promise.reject(error);
    const keys = withJitter(0);
    expect(await ask(keys, key)).toMatchObject({ retryAfterMs: dueMs });
    answer = succeed;
    for (let second = 1; second < dueMs / 1_000; second++) {
      await clock.advance(1_000);
      await Promise.all(Array.from({ length: 5 }, () => ask(keys, newKey())));
    }
    expect(fetches).toEqual([0]);
    await clock.advance(1_000);
    expect(fetches).toEqual([0, dueMs]);
    expect(await ask(keys, key)).toEqual([key]);
  });
});
