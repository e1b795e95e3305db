import { afterEach, describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/services.js';
import { REVIEWING, Scenario } from '../support/scenario.js';

const CALLS = 100;

describe.each(ADAPTERS.map((adapter) => ({ adapter })))('100 concurrent calls on $adapter', ({ adapter }) => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  it.each(REVIEWING)('with one new token for %s cause one request to the API server', async (verifier) => {
    scenario = await Scenario.start({ verifier, adapter });
    // The requests of service1 at its start are not counted.
    await scenario.clock.advance(60_000);
    scenario.cluster.requests.clear();
    const answers = await Promise.all(Array.from({ length: CALLS }, () => scenario.call()));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(CALLS);
    expect(scenario.cluster.requests.count({ endpoint: 'tokenreviews' })).toBe(1);
  });

  it('with one unknown key fetch the keys once', async () => {
    scenario = await Scenario.start({ verifier: 'oidc-discovery', adapter, serverOnly: true });
    await scenario.request('/', await scenario.bearer());
    await scenario.clock.advance(10_000);
    await scenario.cluster.rotateSigningKey({ keepOld: true });
    scenario.cluster.requests.clear();
    const token = await scenario.bearer();
    const answers = await Promise.all(Array.from({ length: CALLS }, () => scenario.request('/', token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(CALLS);
    expect(scenario.cluster.requests.count({ endpoint: 'jwks' })).toBe(1);
  });
});
