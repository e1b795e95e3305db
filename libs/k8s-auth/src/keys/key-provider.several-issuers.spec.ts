import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { CapturedLog } from '../api-server/own-cluster.fixture.js';
import { type VerificationKey, verificationKeyOf } from '../jwt/verification-key.js';
import { KeysByIssuer } from './key-provider.js';
import { PUBLISHED_KEYS, RefreshedKeys } from './refreshed-keys.js';

const EAST = 'https://east.example';
const WEST = 'https://west.example';
const UNKNOWN = 'https://unknown.example';

let clock: FakeClock;
/** What each issuer publishes; an issuer without an entry is unreachable. */
let published: Map<string, VerificationKey>;
let keys: KeysByIssuer;

const newKey = () => verificationKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const headerOf = ({ keyId }: VerificationKey) => ({ alg: 'ES256', kid: keyId });

function keysOf(issuer: string): RefreshedKeys {
  const source = {
    fetch: () => {
      const key = published.get(issuer);
      return key ? Promise.resolve({ issuers: [issuer], keys: [key] }) : Promise.reject(new Error('away'));
    },
  };
  const context = { policy: PUBLISHED_KEYS, clock, log: new CapturedLog(), random: () => 0.5 };
  return new RefreshedKeys(source, context);
}

beforeEach(() => {
  clock = new FakeClock();
  published = new Map();
  keys = new KeysByIssuer([EAST, WEST].map((issuer) => ({ issuer, keys: keysOf(issuer) })));
});
afterEach(() => keys.stop());

/** Starts with the keys of the reachable issuers. */
async function start(): Promise<void> {
  keys.start();
  await clock.advance(0);
}

describe('the keys of several issuers', () => {
  it('are found and trusted only for the issuer that publishes them', async () => {
    const [east, west] = [newKey(), newKey()];
    published.set(EAST, east).set(WEST, west);
    await start();
    expect(keys.find(headerOf(east), EAST)).toEqual([east]);
    expect(keys.trusts(east, EAST)).toBe(true);
    expect(await keys.find(headerOf(east), WEST)).toEqual([]);
    expect(keys.trusts(east, WEST)).toBe(false);
  });

  it('are neither found nor trusted for an issuer that is not accepted', async () => {
    const east = newKey();
    published.set(EAST, east);
    await start();
    expect(keys.find(headerOf(east), UNKNOWN)).toEqual([]);
    expect(keys.trusts(east, UNKNOWN)).toBe(false);
  });

  it('name every accepted issuer, even one whose keys are not known yet', async () => {
    expect(keys.knownIssuers()).toEqual([EAST, WEST]);
    published.set(EAST, newKey());
    await start();
    expect(keys.knownIssuers()).toEqual([EAST, WEST]);
  });

  it('are counted together, and their age is the longest of all issuers', async () => {
    expect(keys.statistics()).toEqual({ count: 0 });
    published.set(EAST, newKey());
    await start();
    expect(keys.statistics()).toEqual({ count: 1, ageMs: 0 });
    const west = newKey();
    published.set(WEST, west);
    await clock.advance(2_000);
    await keys.find(headerOf(west), WEST);
    await clock.advance(500);
    expect(keys.statistics()).toEqual({ count: 2, ageMs: 2_500 });
  });

  it('are ready as soon as one issuer is ready', async () => {
    expect(keys.readiness().status).toBe('not-ready');
    published.set(WEST, newKey());
    await start();
    expect(keys.readiness().status).toBe('ready');
  });
});
