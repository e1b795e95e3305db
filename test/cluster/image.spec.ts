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
])('I look around in the container of $name', ({ name, port }) => {
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

  it('its process is node itself, without a shell around it', () => {
    expect(found).toMatchObject({
      command: ['node', `dist/apps/${name}/main.js`],
      executable: '/usr/local/bin/node',
      nodeEnv: 'production',
    });
  });

  it('runs as user 1000, because the image says so in a number', async () => {
    expect(found.userId).toBe(1000);
    // With a name the kubelet could not tell that it is not root, and would not have started it.
    expect(JSON.stringify((await pod())?.spec)).toMatch(/"runAsNonRoot":true/);
    expect(JSON.stringify((await pod())?.spec)).not.toMatch(/"runAsUser"/);
  });

  it('can write nowhere', () => {
    expect(found.writable).toEqual([]);
  });

  it('there is nothing but what runs: no sources, no declarations, no maps', () => {
    expect(found.unused).toEqual([]);
  });

  it('there are the packages of production, and no others', () => {
    expect([...found.packages].sort()).toEqual(productionPackages().sort());
  });

  it('ours is less than 60 MB, and all of it less than 250 MB', () => {
    measuredSize(`${name}: /app`, found.appBytes);
    measuredSize(`${name}: root file system`, found.allBytes);
    expect(found.appBytes).toBeLessThan(60 * MB);
    expect(found.appBytes).toBeGreaterThan(5 * MB);
    expect(found.allBytes).toBeLessThan(250 * MB);
  });

  it('ends within 2 s of a SIGTERM, of its own accord', async () => {
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

// What service1 answers are probes; nobody waits for them.
it('service2 gave the answer that it owed before it ended', () => {
  const ending = endings.get('service2');
  expect(ending?.answer).toBe('HTTP/1.1 200 OK');
  expect(ending?.answeredAfterMs).toBeGreaterThanOrEqual(500);
});
