import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { measured } from './support/measured.fixture.js';
import { answeredAt, type Probe, Prober } from './support/prober.fixture.js';
import { type Answer, requestFromPod } from './support/request.fixture.js';
import { createToken, signedAnew } from './support/tokens.fixture.js';

// These scenarios measure times. The API server keeps an accepted token for 10 s, and so does service2.
const REMEMBERED_MS = 10_000;
/**
 * Late enough that service2 keeps its verdict for nearly 10 s more, and early enough that the API server still keeps
 * the token.
 */
const SEEN_ELSEWHERE_AFTER_MS = 8_000;
const CLOCK_TOLERANCE_MS = 30_000;
/** The interval of the requests and the time that one takes. */
const LEEWAY_MS = 1_500;
const LOCAL = 'service2-oidc-discovery';

const cluster = Cluster.given();
const canSign = await providerCan('signing-key');
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.of(cluster, 'tokenreview');
  await deployment.beside('oidc-discovery');
  await deployment.kubectl('scale', 'deployment/service2', '--replicas=2');
  await Promise.all([deployment.rolledOut('service2'), deployment.rolledOut('service1')]);
});
afterAll(() => deployment?.remove());

function callerWith(name: string, options: { token?: string; serviceAccount?: string; origin?: string }) {
  const { token, serviceAccount, origin = 'http://service2.mytest.svc' } = options;
  return Prober.start(cluster, {
    name,
    url: origin,
    ...(token === undefined ? { audience: 'service2' } : { token }),
    ...(serviceAccount !== undefined && { serviceAccount }),
  });
}

const isRefused = ({ status }: Probe) => status === 401;
const isKnown = ({ status }: Probe) => status === 200;

describe('A pod is deleted, and an attacker has its token', () => {
  let deletedAt: number;
  let refusedAt: number;
  let refusedElsewhereAt: number;
  let unseen: Answer;
  let unseenLocally: Answer;
  let locally: Probe[];
  let outlived: { exp: number; refused: Probe } | undefined;

  /** Requests to the other pod of service2, which sends a review just before the API server forgets the token. */
  async function refusedElsewhere(token: string, seenAt: number): Promise<number> {
    const [, other] = await deployment.pods('service2');
    await setTimeout(seenAt + SEEN_ELSEWHERE_AFTER_MS - Date.now());
    while ((await requestFromPod(cluster, { token, origin: other?.origin })).status === 200);
    return Date.now();
  }

  /** Another token of the same pod, which expires soon. */
  async function useUntilRefused(token: string) {
    const exp = Math.floor(Date.now() / 1000) + 10;
    const ending = await signedAnew(cluster, token, (claims) => ({ ...claims, exp }));
    const caller = await callerWith('caller-until-the-end', {
      token: ending,
      origin: `http://${LOCAL}.mytest.svc`,
    });
    return { exp, refused: await caller.first(isRefused, 3 * CLOCK_TOLERANCE_MS) };
  }

  beforeAll(async () => {
    const victim = await callerWith('victim', {});
    const tokens = { audience: 'service2', pod: 'victim' };
    const token = await createToken(cluster, tokens);
    const [one] = await deployment.pods('service2');
    const caller = await callerWith('caller', { token, origin: one?.origin });
    const localCaller = await callerWith('local-caller', { token, origin: `http://${LOCAL}.mytest.svc` });
    const [secondToken, unseenToken] = [
      await createToken(cluster, tokens),
      await createToken(cluster, tokens),
    ];
    const outliving = canSign ? useUntilRefused(token) : undefined;
    await Promise.all([caller.first(isKnown, 10_000), localCaller.first(isKnown, 10_000)]);
    await requestFromPod(cluster, { token: secondToken, origin: one?.origin });
    const seenAt = Date.now();
    await victim.stop();
    deletedAt = Date.now();
    const elsewhere = refusedElsewhere(secondToken, seenAt);
    unseen = await requestFromPod(cluster, { token: unseenToken });
    unseenLocally = await requestFromPod(cluster, { token: unseenToken, service: LOCAL });
    refusedAt = answeredAt(await caller.first(isRefused, 30_000));
    refusedElsewhereAt = await elsewhere;
    outlived = await outliving;
    await localCaller.first(({ at }) => at > deletedAt + 2 * REMEMBERED_MS, 60_000);
    locally = await localCaller.probes();
  }, 180_000);

  it('tokenreview refuses a token that it sees for the first time at once', () => {
    expect(unseen).toMatchObject({ status: 401, challenge: 'Bearer error="invalid_token"' });
  });

  it('tokenreview refuses a token that it has reviewed within 10 s', async () => {
    measured('deleted pod: tokenreview refuses a known token after', refusedAt - deletedAt);
    expect(refusedAt - deletedAt).toBeLessThan(REMEMBERED_MS + LEEWAY_MS);
    expect(await deployment.log('service2')).toContain('ERR_K8S_AUTH_TOKEN_REJECTED');
  });

  it('tokenreview refuses a token that another client has reviewed within 20 s', () => {
    measured('deleted pod: at worst tokenreview refuses after', refusedElsewhereAt - deletedAt);
    expect(refusedElsewhereAt - deletedAt).toBeLessThan(2 * REMEMBERED_MS + LEEWAY_MS);
  });

  it('oidc-discovery accepts the token, because it cannot know', () => {
    expect(unseenLocally).toMatchObject({ status: 200 });
    expect(locally.filter(({ status }) => status !== 200)).toEqual([]);
  });

  const itIfPossible = canSign ? it : it.skip;
  itIfPossible('oidc-discovery refuses the token after its expiry and the clock tolerance', () => {
    const lateMs = answeredAt(outlived?.refused) - (outlived?.exp ?? NaN) * 1000;
    measured('deleted pod: oidc-discovery refuses after "exp" by', lateMs);
    expect(lateMs).toBeGreaterThanOrEqual(CLOCK_TOLERANCE_MS);
    expect(lateMs).toBeLessThan(CLOCK_TOLERANCE_MS + LEEWAY_MS);
  });
});

describe('A ServiceAccount is deleted, and created again with the same name', () => {
  let deletedAt: number;
  let calls: Probe[];
  let localCalls: Probe[];
  let again: Probe;

  beforeAll(async () => {
    await deployment.kubectl('create', 'serviceaccount', 'worker');
    const worker = await callerWith('worker', { serviceAccount: 'worker' });
    const local = await callerWith('local-worker', {
      serviceAccount: 'worker',
      origin: `http://${LOCAL}.mytest.svc`,
    });
    await Promise.all([worker.first(isKnown, 10_000), local.first(isKnown, 10_000)]);
    await deployment.kubectl('delete', 'serviceaccount', 'worker');
    deletedAt = Date.now();
    await deployment.kubectl('create', 'serviceaccount', 'worker');
    await worker.first(isRefused, 30_000);
    await setTimeout(2 * LEEWAY_MS);
    [calls, localCalls] = [await worker.probes(), await local.probes()];
    await worker.stop();
    const restarted = await callerWith('worker', { serviceAccount: 'worker' });
    again = await restarted.first(() => true, 10_000);
  }, 120_000);

  it('tokenreview refuses the pods of the old ServiceAccount within 20 s, although the name is the same', () => {
    const refused = calls.find(isRefused);
    measured('deleted ServiceAccount: tokenreview refuses after', answeredAt(refused) - deletedAt);
    expect(answeredAt(refused) - deletedAt).toBeLessThan(2 * REMEMBERED_MS + LEEWAY_MS);
    expect(refused).toMatchObject({ challenge: 'Bearer error="invalid_token"' });
  });

  it('a restarted pod is accepted', () => {
    expect(again).toMatchObject({ status: 200, body: 'hello system:serviceaccount:mytest:worker' });
  });

  it('oidc-discovery accepts the token until it expires, because it cannot know', () => {
    expect(localCalls.filter(({ at }) => at > deletedAt).length).toBeGreaterThan(0);
    expect(localCalls.filter(({ status }) => status !== 200)).toEqual([]);
  });
});
