import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { LogStream } from './support/log-stream.fixture.js';
import { buildOtherService, OTHER_SERVICE, volumesFromReadme } from './support/other-service.fixture.js';
import { Prober, type ProberOptions } from './support/prober.fixture.js';

const ORDERS = 'http://orders.shop.svc/orders';
const canBuild = await providerCan('build');
const describeIfPossible = canBuild ? describe : describe.skip;
const why = canBuild ? '' : ' (skipped: this provider builds no images)';

describeIfPossible(`I make a Nest service of README.md and the packed library${why}`, () => {
  const cluster = Cluster.given();
  let deployment: Deployment;
  let manifests: string;

  /** The answer to a pod of that ServiceAccount, which sends its own projected token. */
  function answerTo({ path = '', ...caller }: Omit<ProberOptions, 'name' | 'url'> & { path?: string }) {
    return Prober.firstAnswer(cluster, { name: 'caller', url: ORDERS + path, ...caller });
  }

  beforeAll(async () => {
    await buildOtherService(cluster);
    deployment = await Deployment.of(cluster, 'oidc-discovery');
    manifests = (await readFile(join(OTHER_SERVICE, 'manifests.yaml'), 'utf8')).replace(
      '# volumes: as in README.md',
      volumesFromReadme(),
    );
    await cluster.kubectlWithInput(manifests, 'apply', '--filename', '-');
    await cluster.kubectl(
      ...['--namespace', 'shop', 'rollout', 'status', 'deployment/orders', '--timeout=90s'],
    );
  }, 600_000);

  afterAll(async () => {
    await cluster.kubectlWithInput(
      manifests,
      'delete',
      '--filename=-',
      '--ignore-not-found',
      '--timeout=90s',
    );
    await deployment?.remove();
  });

  it('service2 authenticates the new service by its own ServiceAccount', async () => {
    const line = await LogStream.lineOf(cluster, 'deployment/orders', /service2 says/, 'shop');
    expect(line).toBe('service2 says: hello system:serviceaccount:shop:orders');
  });

  it('the new service authenticates its callers without options for the cluster', async () => {
    expect(await answerTo({ audience: 'orders' })).toMatchObject({
      status: 200,
      body: 'hello system:serviceaccount:mytest:default',
    });
    expect(
      await answerTo({ namespace: 'shop', serviceAccount: 'checkout', audience: 'orders', path: '/mine' }),
    ).toMatchObject({ status: 200, body: 'orders of checkout' });
  });

  it('shop/checkout may order', async () => {
    const caller = { namespace: 'shop', serviceAccount: 'checkout', audience: 'orders' };
    expect(await answerTo({ ...caller, method: 'POST' })).toMatchObject({ status: 201, body: 'created' });
  });

  it.each([
    ['another ServiceAccount of the shop', 'shop'],
    ['a ServiceAccount with the allowed name in another namespace', 'mytest'],
  ])('%s may not order', async (_, namespace) => {
    const serviceAccount = namespace === 'shop' ? 'default' : 'checkout';
    if (namespace !== 'shop') await deployment.kubectl('create', 'serviceaccount', serviceAccount);
    const answer = await answerTo({ namespace, serviceAccount, audience: 'orders', method: 'POST' });
    expect(answer).toMatchObject({
      status: 403,
      challenge: expect.stringContaining('Bearer error="insufficient_scope"'),
    });
  });

  it('nobody may order without a token, or with a token issued for service2', async () => {
    expect(await answerTo({})).toMatchObject({ status: 401, challenge: 'Bearer' });
    expect(await answerTo({ audience: 'service2' })).toMatchObject({
      status: 401,
      challenge: 'Bearer error="invalid_token"',
    });
  });

  it('its health endpoint answers everybody', async () => {
    expect(await answerTo({ path: '/health' })).toMatchObject({ status: 200, body: 'ok' });
  });
});
