import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { end, type Ending, productionPackages, type Surroundings, survey } from './support/image.fixture.js';
import { measured, measuredSize } from './support/measured.fixture.js';

const MB = 1e6;

interface Pod {
  readonly spec: object;
  readonly status: {
    readonly containerStatuses: readonly {
      readonly restartCount: number;
      readonly lastState: { readonly terminated?: { readonly exitCode: number } };
    }[];
  };
}

const cluster = Cluster.given();
const endings = new Map<string, Ending>();
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.of(cluster, 'oidc-discovery');
  await deployment.firstSuccess();
});
afterAll(() => deployment?.remove());

describe.each([
  { name: 'service1', port: 8081 },
  { name: 'service2', port: 8080 },
])('the container of $name', ({ name, port }) => {
  let found: Surroundings;

  const pod = async () => {
    const label = `app.kubernetes.io/name=${name}`;
    const { items } = await cluster.get<{ items: Pod[] }>('pods', '-n', 'mytest', '--selector', label);
    expect(items).toHaveLength(1);
    return items[0];
  };

  beforeAll(async () => {
    found = await survey(deployment, name);
  });

  it('runs node directly, without a shell', () => {
    expect(found).toMatchObject({
      command: ['node', `dist/apps/${name}/main.js`],
      executable: '/usr/local/bin/node',
      nodeEnv: 'production',
    });
  });

  it('runs as user 1000, which the image sets as a number', async () => {
    expect(found.userId).toBe(1000);
    // With a name, the kubelet could not see that the user is not root, and would not have started the container.
    expect(JSON.stringify((await pod())?.spec)).toMatch(/"runAsNonRoot":true/);
    expect(JSON.stringify((await pod())?.spec)).not.toMatch(/"runAsUser"/);
  });

  it('cannot write to any folder', () => {
    expect(found.writable).toEqual([]);
  });

  it('contains only files that are executed: no sources, no declarations, no source maps', () => {
    expect(found.unused).toEqual([]);
  });

  it('contains only the production packages', () => {
    expect([...found.packages].sort()).toEqual(productionPackages().sort());
  });

  it('has less than 60 MB of own layers, and less than 250 MB in total', () => {
    measuredSize(`${name}: /app`, found.appBytes);
    measuredSize(`${name}: root file system`, found.allBytes);
    expect(found.appBytes).toBeLessThan(60 * MB);
    expect(found.appBytes).toBeGreaterThan(5 * MB);
    expect(found.allBytes).toBeLessThan(250 * MB);
  });

  it('exits by itself within 2 s after a SIGTERM', async () => {
    const ending = await end(deployment, name, { port, bodyAfterMs: 500 });
    endings.set(name, ending);
    measured(`${name}: ends after SIGTERM and`, ending.endedAfterMs);
    expect(ending.endedAfterMs).toBeLessThan(2000);
    const restarted = '--for=jsonpath={.status.containerStatuses[0].restartCount}=1';
    await deployment.kubectl('wait', restarted, 'pod', '--selector', `app.kubernetes.io/name=${name}`);
    expect((await pod())?.status.containerStatuses).toMatchObject([
      { restartCount: 1, lastState: { terminated: { exitCode: 0 } } },
    ]);
  });
});

// service1 answers only probes, which do not have to be finished.
it('service2 answers the open request before it exits', () => {
  const ending = endings.get('service2');
  expect(ending?.answer).toBe('HTTP/1.1 200 OK');
  expect(ending?.answeredAfterMs).toBeGreaterThanOrEqual(500);
});
