import { afterEach, describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/services.js';
import { EVERYWHERE, REVIEWING, Scenario } from '../support/scenario.js';

describe.each(ADAPTERS.map((adapter) => ({ adapter })))(
  'what is deleted: tokenreview on $adapter',
  ({ adapter }) => {
    let scenario: Scenario;
    afterEach(() => scenario?.close());

    it('a ServiceAccount is refused once the kept verdict ends', async () => {
      scenario = await Scenario.start({ verifier: 'tokenreview', adapter });
      await scenario.cluster.deleteServiceAccount('mytest', 'default');
      expect((await scenario.call()).status).toBe(200);
      await scenario.clock.advance(10_000);
      expect((await scenario.call()).status).toBe(401);
      expect(scenario.log.text).toContain('ERR_K8S_AUTH_TOKEN_REJECTED');
    });

    it('a pod takes its tokens with it', async () => {
      scenario = await Scenario.start({ verifier: 'tokenreview', adapter, serverOnly: true });
      await scenario.cluster.createPod('mytest', 'caller');
      const token = await scenario.bearer({ pod: 'caller' });
      expect((await scenario.request('/', token)).status).toBe(200);
      await scenario.cluster.deletePod('mytest', 'caller');
      await scenario.clock.advance(10_000);
      expect((await scenario.request('/', token)).status).toBe(401);
    });
  },
);

describe.each(EVERYWHERE.filter(({ verifier }) => !REVIEWING.includes(verifier)))(
  'what is deleted: $verifier on $adapter',
  ({ verifier, adapter }) => {
    let scenario: Scenario;
    afterEach(() => scenario?.close());

    it('a token of a deleted ServiceAccount is good until its exp, and no longer', async () => {
      scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
      const token = await scenario.bearer({ expirationSeconds: 600 });
      await scenario.request('/', token);
      await scenario.cluster.deleteServiceAccount('mytest', 'default');
      await scenario.clock.advance(599_000);
      expect((await scenario.request('/', token)).status).toBe(200);
      // Beyond exp and the 30 s of tolerance.
      await scenario.clock.advance(32_000);
      expect((await scenario.request('/', token)).status).toBe(401);
      expect(scenario.log.text).toContain('ERR_K8S_AUTH_TOKEN_EXPIRED');
    });
  },
);
