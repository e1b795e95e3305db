import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { measured } from './support/measured.fixture.js';
import { answeredAt, type Probe, Prober, type ProberOptions } from './support/prober.fixture.js';
import { type Answer, requestFromPod } from './support/request.fixture.js';
import { createToken } from './support/tokens.fixture.js';

// The times are shorter than the defaults, so that the scenarios end soon.
const REVOCATION_CHECK_MS = 5_000;
/** How long the API server itself keeps an accepted token. */
const API_SERVER_REMEMBERS_MS = 10_000;
const BOUND_MS = REVOCATION_CHECK_MS + API_SERVER_REMEMBERS_MS;
/** Timeout of a whole review: how long the first callers wait for their 503 when the API server is unreachable. */
const REVIEW_TIMEOUT_MS = 5_000;
const OUTAGE_MS = 30_000;
/** Duration of the calls before and after the outage. */
const STEADY_MS = 3_000;
/** service2 checks every 8 to 10 s whether it has its right. */
const LOOKS_EVERY_MS = 10_000;
/** The interval of the requests and the time that one takes. */
const LEEWAY_MS = 2_000;

/** One for each value of `whenUnavailable`. */
const SERVICES = { refuse: 'service2', 'accept-until-expiry': 'service2-hybrid' };
type WhenUnavailable = keyof typeof SERVICES;
const MODES = Object.keys(SERVICES) as WhenUnavailable[];

const cluster = Cluster.given();
const canStop = await providerCan('stop-api-server');
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.of(cluster, 'hybrid');
  await deployment.beside('hybrid');
  for (const mode of MODES) {
    await deployment.set(SERVICES[mode], {
      K8S_AUTH_REVOCATION_CHECK_MS: String(REVOCATION_CHECK_MS),
      K8S_AUTH_WHEN_UNAVAILABLE: mode,
    });
  }
  await deployment.rolledOut('service1');
}, 240_000);
afterAll(() => deployment?.remove(), 240_000);

const isRefused = ({ status }: Probe) => status === 401;
const isKnown = ({ status }: Probe) => status === 200;

function callerOf(mode: WhenUnavailable, options: Partial<ProberOptions> = {}): Promise<Prober> {
  return Prober.start(cluster, {
    name: `caller-of-${SERVICES[mode]}`,
    url: `http://${SERVICES[mode]}.mytest.svc`,
    ...(options.token === undefined && { audience: 'service2' }),
    ...options,
  });
}

/** One for each of the two services. */
async function ofEach<Value>(
  get: (mode: WhenUnavailable) => Promise<Value>,
): Promise<Record<WhenUnavailable, Value>> {
  const entries = await Promise.all(MODES.map(async (mode) => [mode, await get(mode)] as const));
  return Object.fromEntries(entries) as Record<WhenUnavailable, Value>;
}

describe('A pod is deleted, and an attacker has its token', () => {
  let deletedAt: number;
  let refused: Record<WhenUnavailable, Probe>;
  let unseen: Answer;

  beforeAll(async () => {
    const victim = await Prober.start(cluster, { name: 'victim' });
    const tokens = { audience: 'service2', pod: 'victim' };
    const [token, unseenToken] = [await createToken(cluster, tokens), await createToken(cluster, tokens)];
    const callers = await ofEach((mode) => callerOf(mode, { token }));
    await ofEach((mode) => callers[mode].first(isKnown, 10_000));
    await setTimeout(STEADY_MS);
    await victim.stop();
    deletedAt = Date.now();
    unseen = await requestFromPod(cluster, { token: unseenToken });
    refused = await ofEach((mode) => callers[mode].first(isRefused, 2 * BOUND_MS));
    await ofEach((mode) => callers[mode].stop());
  }, 120_000);

  it('a token that was never reviewed is refused at once', () => {
    expect(unseen).toMatchObject({ status: 401, challenge: 'Bearer error="invalid_token"' });
  });

  it.each(MODES)('a token in use is refused within 15 s, with %s', async (mode) => {
    const afterMs = answeredAt(refused[mode]) - deletedAt;
    measured(`deleted pod: hybrid, ${mode}, refuses a token in use after`, afterMs);
    expect(afterMs).toBeLessThan(BOUND_MS + LEEWAY_MS);
    expect(refused[mode]).toMatchObject({ challenge: 'Bearer error="invalid_token"' });
    expect(await deployment.log(SERVICES[mode])).toContain('ERR_K8S_AUTH_TOKEN_REJECTED');
  });
});

describe('A ServiceAccount is deleted, and created again with the same name', () => {
  let deletedAt: number;
  let refused: Record<WhenUnavailable, Probe>;
  let again: Probe;

  beforeAll(async () => {
    const serviceAccount = 'worker';
    await deployment.kubectl('create', 'serviceaccount', serviceAccount);
    const callers = await ofEach((mode) => callerOf(mode, { serviceAccount }));
    await ofEach((mode) => callers[mode].first(isKnown, 10_000));
    await deployment.kubectl('delete', 'serviceaccount', serviceAccount);
    deletedAt = Date.now();
    await deployment.kubectl('create', 'serviceaccount', serviceAccount);
    refused = await ofEach((mode) => callers[mode].first(isRefused, 2 * BOUND_MS));
    await ofEach((mode) => callers[mode].stop());
    const restarted = await callerOf('refuse', { serviceAccount });
    again = await restarted.first(() => true, 10_000);
    await restarted.stop();
  }, 120_000);

  it.each(MODES)(
    'pods of the old ServiceAccount are refused within 15 s, although the name is the same, with %s',
    (mode) => {
      const afterMs = answeredAt(refused[mode]) - deletedAt;
      measured(`deleted ServiceAccount: hybrid, ${mode}, refuses after`, afterMs);
      expect(afterMs).toBeLessThan(BOUND_MS + LEEWAY_MS);
    },
  );

  it('a restarted pod is accepted', () => {
    expect(again).toMatchObject({ status: 200, body: 'hello system:serviceaccount:mytest:worker' });
  });
});

describe('The right of hybrid to create TokenReviews is revoked, and granted again', () => {
  let calls: Record<WhenUnavailable, Probe[]>;
  let takenAt: number;
  let grantedAt: number;

  const untilReady = (status: 'True' | 'False') =>
    ofEach(async (mode) => {
      const [pod] = await deployment.pods(SERVICES[mode]);
      await deployment.kubectl(
        'wait',
        `pod/${pod?.name}`,
        `--for=condition=Ready=${status}`,
        '--timeout=60s',
      );
    });

  beforeAll(async () => {
    // Called by the pod's address, because a Service does not include pods that are not ready.
    const callers = await ofEach(async (mode) => {
      const [pod] = await deployment.pods(SERVICES[mode]);
      return callerOf(mode, { url: pod?.origin });
    });
    await setTimeout(STEADY_MS);
    const bindings = await bindingsOfBoth();
    takenAt = Date.now();
    await deployment.kubectl(
      'delete',
      ...bindings.map(({ metadata }) => `clusterrolebinding/${metadata.name}`),
    );
    await untilReady('False');
    await setTimeout(STEADY_MS);
    await cluster.apply(...bindings);
    grantedAt = Date.now();
    await untilReady('True');
    await setTimeout(STEADY_MS);
    calls = await ofEach((mode) => callers[mode].probes());
    await ofEach((mode) => callers[mode].stop());
  }, 180_000);

  it.each(MODES)('callers get a 503, never a 401, with %s', (mode) => {
    const refused = calls[mode].filter(({ status }) => status !== 200);
    const afterMs = answeredAt(refused[0]) - takenAt;
    measured(`right taken away: hybrid, ${mode}, answers 503 after`, afterMs);
    expect(afterMs).toBeLessThan(REVOCATION_CHECK_MS + LEEWAY_MS);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    for (const { retryAfter, challenge } of refused) {
      expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
      expect(challenge).toBeNull();
    }
  });

  it.each(MODES)(
    'callers are accepted again once the right is granted, without a restart, with %s',
    async (mode) => {
      const known = calls[mode].find((probe) => answeredAt(probe) > grantedAt && probe.status === 200);
      measured(`right granted: hybrid, ${mode}, knows callers after`, answeredAt(known) - grantedAt);
      expect(answeredAt(known) - grantedAt).toBeLessThan(LOOKS_EVERY_MS + LEEWAY_MS);
      const log = await deployment.log(SERVICES[mode]);
      expect(log).toMatch(/own ServiceAccount may not create tokenreviews.*system:auth-delegator/);
      expect(log).toContain('own ServiceAccount may create tokenreviews now');
    },
  );
});

const describeIfPossible = canStop ? describe : describe.skip;
const unless = canStop ? '' : ' (skipped: this provider cannot stop the API server)';

describeIfPossible(`The API server is away for half a minute, while both are being called${unless}`, () => {
  let calls: Record<WhenUnavailable, Probe[]>;
  let wentAt: number;
  let cameBackAt: number;

  beforeAll(async () => {
    const callers = await ofEach((mode) => callerOf(mode));
    await setTimeout(STEADY_MS);
    wentAt = Date.now();
    await cluster.provider('stop-api-server');
    await setTimeout(OUTAGE_MS);
    await cluster.provider('start-api-server');
    cameBackAt = Date.now();
    await setTimeout(STEADY_MS);
    calls = await ofEach((mode) => callers[mode].probes());
  }, 180_000);

  it("with 'refuse' callers are accepted until the last answer has expired", () => {
    const refused = calls.refuse.filter(({ status }) => status !== 200);
    measured('API server away: hybrid, refuse, goes on for', (refused[0]?.at ?? NaN) - wentAt);
    measured('then the longest wait for a 503 is', Math.max(...refused.map(({ tookMs }) => tookMs)));
    expect((refused[0]?.at ?? NaN) - wentAt).toBeLessThan(REVOCATION_CHECK_MS + LEEWAY_MS);
    expect(refused.length).toBeGreaterThan(30);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    for (const { retryAfter, challenge, tookMs } of refused) {
      expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
      expect(challenge).toBeNull();
      expect(tookMs).toBeLessThan(REVIEW_TIMEOUT_MS + LEEWAY_MS);
    }
  });

  it("with 'refuse' callers are accepted again after the outage", () => {
    const known = calls.refuse.find((probe) => answeredAt(probe) > cameBackAt && isKnown(probe));
    measured('API server back: hybrid, refuse, knows callers after', answeredAt(known) - cameBackAt);
    expect(answeredAt(known) - cameBackAt).toBeLessThan(STEADY_MS);
  });

  it("with 'accept-until-expiry' no caller is refused", () => {
    const answers = calls['accept-until-expiry'];
    const longestMs = Math.max(...answers.map(({ tookMs }) => tookMs));
    measured('API server away: hybrid, accept-until-expiry, the longest answer takes', longestMs);
    expect(answers.filter(({ at }) => at > wentAt && at < cameBackAt).length).toBeGreaterThan(30);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });
});

interface Binding {
  readonly metadata: { readonly name: string; readonly labels: object };
  readonly roleRef: object;
  readonly subjects: readonly object[];
}

/** In a form from which they can be created again. */
async function bindingsOfBoth(): Promise<Binding[]> {
  const selector = `--selector=app.kubernetes.io/name in (${Object.values(SERVICES).join()})`;
  const { items } = await cluster.get<{ items: readonly Binding[] }>('clusterrolebindings', selector);
  return items.map(({ metadata: { name, labels }, roleRef, subjects }) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    roleRef,
    subjects,
  }));
}
