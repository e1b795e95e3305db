import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { measured } from './support/measured.fixture.js';
import { answeredAt, type Probe, Prober } from './support/prober.fixture.js';
import { PodAside } from './support/pod-aside.fixture.js';

/** Duration of the outage: long enough for every cache of tokenreview to expire, and for many 503s. */
const OUTAGE_MS = 60_000;
/** Duration of the calls before and after the outage. */
const STEADY_MS = 5_000;
const TOKENREVIEW_REMEMBERS_MS = 10_000;
/** Timeout of a whole review: how long service2 may take to find that the API server is unreachable. */
const REVIEW_TIMEOUT_MS = 5_000;
/** service1 gives up after 2 s, so it only sees answers of service2 that arrive sooner. */
const CLIENT_INTERVAL_MS = 500;
/** While service2 is not ready, it checks every 8 to 10 s, and the kubelet probes it every 2 s. */
const NOTICED_WITHIN_MS = 13_000;

const canStop = await providerCan('stop-api-server');
const describeIfPossible = canStop ? describe : describe.skip;
const unless = canStop ? '' : ' (skipped: this provider cannot stop the API server)';

describeIfPossible(
  `The API server is unreachable for a minute, while clients call every service${unless}`,
  () => {
    const cluster = Cluster.given();
    const SERVICES = {
      tokenreview: 'service2',
      'jwt-pubkey': 'service2-jwt-pubkey',
      'oidc-discovery': 'service2-oidc-discovery',
    };
    type Kind = keyof typeof SERVICES;
    const KINDS = Object.keys(SERVICES) as Kind[];
    const calls = {} as Record<Kind, Probe[]>;
    const readiness = {} as Record<Kind, Probe[]>;
    const asides = {} as Record<Kind, PodAside>;
    /** The lines that service1 logged, with their times in milliseconds since the epoch. */
    let clientLines: { readonly at: number; readonly line: string }[];
    let deployment: Deployment;
    let wentAt: number;
    /**
     * When the API server accepts connections again. It may answer reviews from then on, before it reports that it is
     * ready.
     */
    let listensAgainAt: number;
    /** When the API server reports that it is ready. */
    let cameBackAt: number;

    beforeAll(async () => {
      deployment = await Deployment.of(cluster, 'tokenreview');
      await Promise.all([
        deployment.set('service1', { INTERVAL_MS: String(CLIENT_INTERVAL_MS) }),
        deployment.beside('jwt-pubkey'),
        deployment.beside('oidc-discovery'),
      ]);
      await Promise.all(
        KINDS.map(async (kind) => {
          asides[kind] = await PodAside.take(deployment, SERVICES[kind]);
        }),
      );
      const watcher = await Prober.start(cluster, {
        name: 'watcher',
        url: 'https://kubernetes.default.svc/readyz',
        intervalMs: 100,
      });
      const probers = await Promise.all(
        KINDS.map(async (kind) => ({
          kind,
          caller: await Prober.start(cluster, {
            name: `caller-of-${kind}`,
            audience: 'service2',
            url: `http://${SERVICES[kind]}.mytest.svc`,
          }),
          kubelet: await Prober.start(cluster, {
            name: `readiness-of-${kind}`,
            url: `${asides[kind].origin}/readyz`,
          }),
        })),
      );
      await Promise.all(KINDS.map((kind) => asides[kind].endDuringOutage()));

      await cluster.provider('stop-api-server');
      await setTimeout(OUTAGE_MS);
      await cluster.provider('start-api-server');
      await Promise.all(KINDS.map((kind) => asides[kind].startedAgain()));
      await setTimeout(STEADY_MS);

      for (const { kind, caller, kubelet } of probers) {
        calls[kind] = await caller.probes();
        readiness[kind] = await kubelet.probes();
      }
      clientLines = (await deployment.log('service1', '--timestamps'))
        .split('\n')
        .filter((line) => line.includes('target='))
        .map((line) => ({ at: Date.parse(line.split(' ')[0] ?? ''), line }));
      const watched = await watcher.probes();
      const away = watched.filter(({ status }) => status !== 200);
      wentAt = away[0]?.at ?? NaN;
      const unreachableAt = watched.find(({ status }) => status === 0)?.at ?? NaN;
      listensAgainAt = watched.find(({ at, status }) => at > unreachableAt && status !== 0)?.at ?? NaN;
      cameBackAt = answeredAt(watched.find(({ at, status }) => status === 200 && at > wentAt));
      measured('the API server was away for', cameBackAt - wentAt);
    }, 240_000);
    afterAll(() => deployment?.remove());

    it.each(['jwt-pubkey', 'oidc-discovery'] as const)('callers notice nothing with %s', (kind) => {
      expect(calls[kind].filter(({ at }) => at > wentAt && at < cameBackAt).length).toBeGreaterThan(200);
      expect(calls[kind].filter(({ status }) => status !== 200)).toEqual([]);
    });

    it('with tokenreview callers are accepted while its cached verdicts are valid', () => {
      const firstRefused = calls.tokenreview.find(({ status }) => status !== 200);
      const knownForMs = (firstRefused?.at ?? NaN) - wentAt;
      measured('tokenreview went on for', knownForMs);
      expect(knownForMs).toBeLessThan(TOKENREVIEW_REMEMBERS_MS + 1000);
    });

    it('with tokenreview callers get a 503 with Retry-After after that, and never a 401', () => {
      const refused = calls.tokenreview.filter(({ status }) => status !== 200);
      measured('the longest wait for a 503 was', Math.max(...refused.map(({ tookMs }) => tookMs)));
      const first = answeredAt(refused[0]);
      const later = refused.filter(({ at }) => at > first + REVIEW_TIMEOUT_MS).map(({ tookMs }) => tookMs);
      measured('then the longest wait for a 503 was', Math.max(...later));
      expect(refused.length).toBeGreaterThan(100);
      expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
      for (const { retryAfter, challenge } of refused) {
        expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
        expect(challenge).toBeNull();
      }
    });

    it('service1 logs the 503, not only its own timeout', () => {
      const sinceMs = wentAt + TOKENREVIEW_REMEMBERS_MS + REVIEW_TIMEOUT_MS + 1000;
      const meanwhile = clientLines.filter(({ at }) => at > sinceMs && at < listensAgainAt);
      expect(meanwhile.length).toBeGreaterThan(40);
      expect(meanwhile.filter(({ line }) => !line.includes('status=503'))).toEqual([]);
      const timeouts = clientLines.filter(({ line }) => line.includes('timeout'));
      process.stdout.write(`measured: calls of service1 that ended by its own timeout: ${timeouts.length}\n`);
    });

    it('with tokenreview callers are accepted again within a second after the API server accepts connections', () => {
      const later = calls.tokenreview.filter((probe) => answeredAt(probe) >= cameBackAt);
      const known = answeredAt(later.find(({ status }) => status === 200));
      measured('tokenreview knows callers again, after the API server is back, by', known - cameBackAt);
      expect(known - cameBackAt).toBeLessThanOrEqual(1000);
      expect(later.filter(({ at, status }) => at > cameBackAt + 1000 && status !== 200)).toEqual([]);
      expect(later.length).toBeGreaterThan(20);
    });

    describe.each([
      { kind: 'tokenreview', meanwhile: 503, says: 'down' },
      { kind: 'oidc-discovery', meanwhile: 503, says: 'down' },
      { kind: 'jwt-pubkey', meanwhile: 200, says: 'up' },
    ] as const)('a pod with $kind that starts during the outage', ({ kind, meanwhile, says }) => {
      const since = () => readiness[kind].filter(({ at }) => at > wentAt);

      it('starts', async () => {
        const down = since().find(({ status }) => status === 0);
        const up = since().find(({ at, status }) => at > answeredAt(down) && status !== 0);
        measured(`${kind} answers, without an API server, after`, answeredAt(up) - answeredAt(down));
        expect(answeredAt(up)).toBeLessThan(cameBackAt);
        expect(await asides[kind].log()).toContain('listening on port 8080');
      });

      it(`answers the readiness probe with ${meanwhile} during the outage, and states the reason only in its log`, async () => {
        const settled = since().filter(
          (probe) => probe.at > wentAt + 10_000 && answeredAt(probe) < listensAgainAt,
        );
        expect(settled.length).toBeGreaterThan(100);
        expect(new Set(settled.map(({ status }) => status))).toEqual(new Set([meanwhile]));
        expect(settled.at(-1)?.body).toContain(`"details":{"k8s-auth":{"status":"${says}"}}`);
        const reasons = (await asides[kind].log()).match(
          /not-ready.*(ECONNREFUSED|no answer of the API server)/g,
        );
        expect(reasons !== null).toBe(says === 'down');
      });

      it('is ready soon after the API server is reachable again', () => {
        const ready = answeredAt(since().find(({ at, status }) => at >= cameBackAt && status === 200));
        measured(`${kind} is ready, after the API server is back, by`, ready - cameBackAt);
        expect(ready - cameBackAt).toBeLessThan(NOTICED_WITHIN_MS);
      });
    });
  },
);
