import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { outcome, type OwnCluster, startOwnCluster } from '../../api-server/own-cluster.fixture.js';
import { K8sAuthError } from '../../errors.js';
import { type Verifier } from '../verifier.js';
import { oidcDiscoveryDefinition } from './oidc-discovery.definition.js';

const MINUTE_MS = 60_000;
/** From a bad attempt to the next, at most. */
const ATTEMPT_PERIOD_MS = 11_000;
const ACCEPTED = 'accepted';
const UNAVAILABLE = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';

let own: OwnCluster;
let verifier: Verifier;
let oldToken: string;

beforeEach(async () => {
  own = await startOwnCluster();
  await own.cluster.createServiceAccount('shop', 'checkout');
  const apiServer = { url: own.cluster.url, caFile: own.cluster.caFile, tokenFile: own.tokenFile };
  const { clock, log } = own;
  verifier = await oidcDiscoveryDefinition.create(
    { kind: 'oidc-discovery', apiServer },
    { clock, log, environment: {} },
  );
  oldToken = await newToken();
  // Has keys from then on.
  await result(oldToken);
});

afterEach(async () => {
  await verifier.close();
  await own.close();
});

const newToken = () =>
  own.cluster.createToken({ namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] });

async function result(token: string): Promise<string> {
  const verdict = await outcome((async () => verifier.verify(token, ['orders']))());
  return verdict instanceof K8sAuthError ? verdict.code : ACCEPTED;
}

/** In steps, so that an attempt that has begun is answered in its time. */
async function pass(ms: number): Promise<void> {
  const tokenOfNewKey = await newToken();
  for (let passedMs = 0; passedMs < ms; passedMs += 2_000) {
    await own.clock.advance(2_000);
    // Waits for the attempt under way, if there is one.
    await result(tokenOfNewKey);
  }
}

describe('oidc-discovery, when the cluster drops the key that also signed its own token,', () => {
  beforeEach(() => own.cluster.rotateSigningKey({ keepOld: false }));

  it('answers unavailable to tokens of the new key, and logs the reason', async () => {
    await pass(10_000);
    expect(await result(await newToken())).toBe(UNAVAILABLE);
    expect(await result(oldToken)).toBe(ACCEPTED);
    expect(own.log.messages('error')).toEqual(['API server refuses our own credential (401)']);
    expect(verifier.readiness()).toMatchObject({ status: 'degraded' });
  });

  it('accepts tokens of the dropped key for at most ten more minutes', async () => {
    await pass(10 * MINUTE_MS);
    expect(await result(oldToken)).toBe(ACCEPTED);
    await own.clock.advance(1);
    expect(await result(oldToken)).toBe(UNAVAILABLE);
  });

  it('does not use the dropped key again when the API server, after a 401, is unreachable', async () => {
    await pass(10_000);
    own.cluster.faults.set({ on: 'discovery', fault: { kind: 'status', status: 500 } });
    await pass(10 * MINUTE_MS);
    expect(own.log.messages('warn').at(-1)).toContain('500');
    expect(await result(oldToken)).toBe(UNAVAILABLE);
  });

  it('accepts the new key and refuses the dropped key once it has a new own token', async () => {
    await pass(11 * MINUTE_MS);
    await own.replaceOwnToken();
    await pass(ATTEMPT_PERIOD_MS);
    expect(await result(await newToken())).toBe(ACCEPTED);
    expect(await result(oldToken)).toBe('ERR_K8S_AUTH_TOKEN_SIGNATURE');
  });
});
