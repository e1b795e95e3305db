import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { LogStream } from './support/log-stream.fixture.js';
import { Prober } from './support/prober.fixture.js';

const CALLS_PER_SECOND = 20;
const INTERVAL_MS = 1000 / CALLS_PER_SECOND;
/** Duration of the calls before and after each restart. */
const STEADY_MS = 3_000;
const SUFFIXES = { tokenreview: '', 'oidc-discovery': '-oidc-discovery', hybrid: '-hybrid' };

describe(`Both applications are restarted, pod by pod, under ${CALLS_PER_SECOND} calls a second`, () => {
  const cluster = Cluster.given();
  const streams: LogStream[] = [];
  let deployment: Deployment;
  let probers: Prober[];

  const names = (application: 'service1' | 'service2') =>
    Object.values(SUFFIXES).map((suffix) => application + suffix);

  /** Includes the lines of the pods that run now, until they end. */
  async function follow(name: string): Promise<void> {
    const pods = await deployment.pods(name);
    streams.push(...pods.map((pod) => new LogStream(cluster, pod.name)));
  }

  /** Resolves when the old pods are gone. */
  async function restart(application: 'service1' | 'service2'): Promise<void> {
    const old = (await Promise.all(names(application).map((name) => deployment.pods(name)))).flat();
    await deployment.kubectl('rollout', 'restart', ...names(application).map((name) => `deployment/${name}`));
    await Promise.all(names(application).map((name) => deployment.rolledOut(name)));
    const gone = old.map(({ name }) => `pod/${name}`);
    await deployment.kubectl('wait', '--for=delete', ...gone, '--timeout=60s');
    await setTimeout(STEADY_MS);
  }

  beforeAll(async () => {
    deployment = await Deployment.of(cluster, 'tokenreview');
    await deployment.beside('oidc-discovery');
    await deployment.beside('hybrid');
    await Promise.all(
      names('service1').map((name) => deployment.set(name, { INTERVAL_MS: String(INTERVAL_MS) })),
    );
    await Promise.all(names('service1').map(follow));
    probers = await Promise.all(
      names('service2').flatMap((name) =>
        [true, false].map((keepsConnections) =>
          Prober.start(cluster, {
            name: `caller-of-${name}${keepsConnections ? '' : '-by-new-connections'}`,
            audience: 'service2',
            url: `http://${name}.mytest.svc`,
            intervalMs: INTERVAL_MS,
            keepsConnections,
          }),
        ),
      ),
    );
    await setTimeout(STEADY_MS);
    await restart('service2');
    await restart('service1');
    await Promise.all(names('service1').map(follow));
    await setTimeout(STEADY_MS);
    await Promise.all(streams.map((stream) => stream.stop()));
  }, 240_000);
  afterAll(() => deployment?.remove());

  it('no call of service1 fails, from the old pods or from the new ones', () => {
    expect(streams).toHaveLength(6);
    const calls = streams.map(({ lines }) => lines.filter((line) => line.includes('target=')));
    process.stdout.write(
      `measured: calls of service1's pods: ${calls.map(({ length }) => length).join(', ')}\n`,
    );
    for (const lines of calls) expect(lines.length).toBeGreaterThan(CALLS_PER_SECOND);
    expect(calls.flat().filter((line) => !line.includes('status=200'))).toEqual([]);
  });

  it('no call of other clients fails, whether they keep their connections or not', async () => {
    const probes = await Promise.all(probers.map((prober) => prober.probes()));
    const seconds = probes.map((calls) => ((calls.at(-1)?.at ?? 0) - (calls[0]?.at ?? 0)) / 1000);
    process.stdout.write(
      `measured: calls of the other clients: ${probes.map(({ length }) => length).join(', ')} in ${seconds.join(', ')} s\n`,
    );
    for (const calls of probes) expect(calls.length).toBeGreaterThan(10 * CALLS_PER_SECOND);
    expect(probes.flat().filter(({ status }) => status !== 200)).toEqual([]);
  });
});
