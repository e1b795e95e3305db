import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../test-support/captured-log.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { type StaleKeysEvent } from '../events/event-types.js';
import { K8sAuthEvents } from '../events/k8s-auth.events.js';
import { verificationKeyOf } from '../jwt/verification-key.js';
import { PUBLISHED_KEYS, RefreshedKeys } from './refreshed-keys.js';

const ISSUERS = ['https://issuer.example'];
const KEYS = [verificationKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)];

let clock: FakeClock;
let isReachable: boolean;
let stale: StaleKeysEvent[];
let keys: RefreshedKeys;

beforeEach(() => {
  clock = new FakeClock();
  isReachable = true;
  stale = [];
  const log = new CapturedLog();
  const events = new K8sAuthEvents({ clock, log });
  events.subscribe({ onStaleKeys: (event) => void stale.push(event) });
  const fetch = () =>
    isReachable ? Promise.resolve({ issuers: ISSUERS, keys: KEYS }) : Promise.reject(new Error('away'));
  keys = new RefreshedKeys({ fetch }, { policy: PUBLISHED_KEYS, clock, log, events, random: () => 0 });
});
afterEach(() => keys.stop());

describe('the events of RefreshedKeys', () => {
  it('report each failed fetch with the age of the keys that stay in use', async () => {
    keys.start();
    await clock.advance(0);
    isReachable = false;
    await clock.advance(PUBLISHED_KEYS.periodMs);
    expect(stale).toEqual([{ reason: 'away', ageMs: PUBLISHED_KEYS.periodMs, issuers: ISSUERS }]);
    expect(keys.statistics()).toEqual({ count: 1, ageMs: PUBLISHED_KEYS.periodMs });
    await clock.advance(PUBLISHED_KEYS.cooldownMs);
    expect(stale).toHaveLength(2);
    isReachable = true;
    await clock.advance(PUBLISHED_KEYS.cooldownMs);
    expect(stale).toHaveLength(2);
    expect(keys.statistics()).toEqual({ count: 1, ageMs: 0 });
  });

  it('have no age if there have never been any keys', async () => {
    isReachable = false;
    keys.start();
    await clock.advance(0);
    expect(stale).toEqual([{ reason: 'away' }]);
    expect(keys.statistics()).toEqual({ count: 0 });
  });
});
