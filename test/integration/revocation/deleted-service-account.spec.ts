import { afterEach, describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/services.js';
import { EVERYWHERE, REVIEWING, Scenario } from '../support/scenario.js';

describe.each(ADAPTERS.map((adapter) => ({ adapter })))(
  'deleted objects: tokenreview on $adapter',
  ({ adapter }) => {
    let scenario: Scenario;
    afterEach(() => scenario?.close());

    it('the token of a deleted ServiceAccount is refused once the cached verdict expires', async () => {
      scenario = await Scenario.start({ verifier: 'tokenreview', adapter });
      await scenario.cluster.deleteServiceAccount('mytest', 'default');
      expect((await scenario.call()).status).toBe(200);
      await scenario.clock.advance(10_000);
      expect((await scenario.call()).status).toBe(401);
      expect(scenario.log.text).toContain('ERR_K8S_AUTH_TOKEN_REJECTED');
    });

    it('the token of a deleted pod is refused', async () => {
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
  'deleted objects: $verifier on $adapter',
  ({ verifier, adapter }) => {
    let scenario: Scenario;
    afterEach(() => scenario?.close());

    it('the token of a deleted ServiceAccount is accepted until its exp, and not longer', async () => {
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
