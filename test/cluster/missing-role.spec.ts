import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from './support/cluster.fixture.js';
import { Deployment, type RunningPod } from './support/deployment.fixture.js';
import { LogStream } from './support/log-stream.fixture.js';
import { measured } from './support/measured.fixture.js';
import { answeredAt, type Probe, Prober } from './support/prober.fixture.js';
import { requestFromPod } from './support/request.fixture.js';
import { createToken } from './support/tokens.fixture.js';

/** The name of the binding depends on the namespace. */
const BINDING = ['clusterrolebinding', '--selector=app.kubernetes.io/name=service2'];
/** Log text that names the right, and the role that grants it. */
const MISSING =
  /ERROR.*own ServiceAccount may not create tokenreviews\.authentication\.k8s\.io: no ClusterRoleBinding grants the ClusterRole system:auth-delegator/;
/** service2 keeps earlier verdicts for 10 s. */
const REMEMBERED_MS = 10_000;
/** service2 checks every 8 to 10 s whether it has the right. */
const LOOKS_EVERY_MS = 10_000;
/** Duration of the calls before and after. */
const STEADY_MS = 3_000;
const LEEWAY_MS = 2_000;

describe('service2 without the right to create TokenReviews', () => {
  const cluster = Cluster.given();
  let deployment: Deployment;

  const untilReady = (pod: RunningPod, status: 'True' | 'False') =>
    deployment.kubectl('wait', `pod/${pod.name}`, `--for=condition=Ready=${status}`, '--timeout=60s');
  async function onlyPod(): Promise<RunningPod> {
    const [pod, ...others] = await deployment.pods('service2');
    if (!pod || others.length > 0) throw new Error(`expected one pod of service2, got ${others.length + 1}`);
    return pod;
  }

  beforeAll(async () => {
    deployment = await Deployment.of(cluster, 'tokenreview');
  });
  afterAll(() => deployment?.remove());

  describe('after the right was revoked, until it is granted again', () => {
    let pod: RunningPod;
    let calls: Probe[];
    let readiness: Probe[];
    let takenAt: number;
    let grantedAt: number;

    beforeAll(async () => {
      pod = await onlyPod();
      const caller = await Prober.start(cluster, { name: 'caller', audience: 'service2', url: pod.origin });
      const kubelet = await Prober.start(cluster, { name: 'kubelet', url: `${pod.origin}/readyz` });
      await setTimeout(STEADY_MS);
      takenAt = Date.now();
      await deployment.kubectl('delete', ...BINDING);
      await untilReady(pod, 'False');
      await setTimeout(STEADY_MS);
      await deployment.apply();
      grantedAt = Date.now();
      await untilReady(pod, 'True');
      await setTimeout(STEADY_MS);
      calls = await caller.probes();
      readiness = await kubelet.probes();
      await Promise.all([caller.stop(), kubelet.stop()]);
    });

    it('answers callers with 503, never with 401', () => {
      const refused = calls.filter(({ status }) => status !== 200);
      measured('503 after the right was taken away, by', answeredAt(refused[0]) - takenAt);
      expect(answeredAt(refused[0]) - takenAt).toBeLessThan(REMEMBERED_MS + LEEWAY_MS);
      expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
      for (const { retryAfter, challenge } of refused) {
        expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
        expect(challenge).toBeNull();
      }
    });

    it('is not ready', () => {
      const unready = readiness.find(({ status }) => status === 503);
      measured('not ready after the right was taken away, by', answeredAt(unready) - takenAt);
      expect(answeredAt(unready) - takenAt).toBeLessThan(REMEMBERED_MS + LEEWAY_MS);
      expect(unready?.body).not.toContain('tokenreviews');
    });

    it('names the right and its role in the log', async () => {
      expect(await deployment.log('service2')).toMatch(MISSING);
    });

    it('accepts callers once the right is granted, without a restart', async () => {
      const known = calls.find((probe) => answeredAt(probe) > grantedAt && probe.status === 200);
      measured('callers are known after the right was granted, by', answeredAt(known) - grantedAt);
      expect(answeredAt(known) - grantedAt).toBeLessThan(LOOKS_EVERY_MS + LEEWAY_MS);
      expect(calls.at(-1)).toMatchObject({ status: 200 });
      expect(await onlyPod()).toEqual(pod);
      expect(await deployment.log('service2')).toContain('own ServiceAccount may create tokenreviews now');
    });
  });

  describe('when it was deployed without its role', () => {
    let pod: RunningPod;

    beforeAll(async () => {
      await deployment.kubectl('delete', ...BINDING);
      await deployment.kubectl('delete', 'pod', '--selector', 'app.kubernetes.io/name=service2');
      await deployment.kubectl(
        'wait',
        'pod',
        '--selector=app.kubernetes.io/name=service2',
        '--for=jsonpath={.status.containerStatuses[0].started}=true',
        '--timeout=60s',
      );
      pod = await onlyPod();
    });

    it('starts, and names the right and its role in the log', async () => {
      expect(await LogStream.lineOf(cluster, pod.name, /may not create/)).toMatch(MISSING);
    });

    it('answers callers with 503', async () => {
      const token = await createToken(cluster, { audience: 'service2' });
      const answer = await requestFromPod(cluster, { token, origin: pod.origin });
      expect(answer).toMatchObject({ status: 503, challenge: null });
      expect(Number(answer.retryAfter)).toBeGreaterThanOrEqual(1);
    });

    it('recovers once the role is granted, without a restart and without requests', async () => {
      const prober = await Prober.start(cluster, { name: 'kubelet', url: `${pod.origin}/readyz` });
      await setTimeout(STEADY_MS);
      await deployment.apply();
      const grantedAt = Date.now();
      await untilReady(pod, 'True');
      const readiness = await prober.probes();
      expect(readiness[0]).toMatchObject({ status: 503 });
      const ready = readiness.find(({ status }) => status === 200);
      measured('ready after the right was granted, without calls, by', answeredAt(ready) - grantedAt);
      expect(answeredAt(ready) - grantedAt).toBeLessThan(LOOKS_EVERY_MS + LEEWAY_MS);
      expect(await onlyPod()).toEqual(pod);
      expect(await deployment.firstSuccess()).toContain('hello system:serviceaccount:mytest:default');
    });
  });
});
