import { afterEach, describe, expect, it } from '@jest/globals';
import { EVERYWHERE, REVIEWING, Scenario } from '../support/scenario.js';

describe.each(EVERYWHERE)(
  'while the API server is unreachable: $verifier on $adapter',
  ({ verifier, adapter }) => {
    let scenario: Scenario;
    afterEach(() => scenario?.close());

    const request = (path: string, authorization?: string) =>
      scenario.waitFor(scenario.request(path, authorization), 500);

    it('callers get 200 or 503, and never a 401 for our failure', async () => {
      scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
      const token = await scenario.bearer();
      expect((await scenario.request('/', token)).status).toBe(200);
      await scenario.cluster.outage();
      // A caller that was just accepted notices nothing.
      expect((await scenario.request('/', token)).status).toBe(200);
      // The last answer of the API server has expired now.
      await scenario.clock.advance(60_000);
      const { status, headers } = await request('/', token);
      const isUndecided = REVIEWING.includes(verifier);
      expect({ status, challenge: headers['www-authenticate'] }).toEqual({
        status: isUndecided ? 503 : 200,
        challenge: undefined,
      });
      expect(Number(headers['retry-after'] ?? 0) >= 1).toBe(isUndecided);
      expect(/ERR_K8S_AUTH_(\w+)/.exec(scenario.log.text)?.[1]).toBe(
        isUndecided ? 'VERIFIER_UNAVAILABLE' : undefined,
      );
      // All replicas have the same outage: leaving the Service would not help.
      expect((await request('/readyz')).status).toBe(200);
      await scenario.cluster.recover();
      // The API server is probed twice a second.
      await scenario.clock.advance(500);
      await scenario.expectEventually(200, '/', token);
    });

    it('a service that starts during the outage is not ready, answers 503, and recovers by itself', async () => {
      scenario = await Scenario.start({ verifier, adapter, serverOnly: true, outageAtBoot: true });
      const token = await scenario.bearer();
      const expected = verifier === 'jwt-pubkey' ? 200 : 503;
      expect((await request('/', token)).status).toBe(expected);
      expect((await request('/readyz')).status).toBe(expected);
      await scenario.cluster.recover();
      await scenario.clock.advance(10_000);
      await scenario.expectEventually(200, '/', token);
      await scenario.expectEventually(200, '/readyz');
    });
  },
);

describe('our own right or credential refused', () => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  it.each(REVIEWING)(
    '%s without its role answers 503, is not ready, logs the role, and recovers when it is granted',
    async (verifier) => {
      scenario = await Scenario.start({ verifier, adapter: 'express', serverOnly: true });
      scenario.cluster.revoke('create tokenreviews', 'mytest/service2');
      const token = await scenario.bearer();
      expect((await scenario.waitFor(scenario.request('/', token))).status).toBe(503);
      expect((await scenario.request('/readyz')).status).toBe(503);
      expect(scenario.log.text).toContain('system:auth-delegator');
      scenario.cluster.grant('create tokenreviews', 'mytest/service2');
      await scenario.clock.advance(10_000);
      await scenario.expectEventually(200, '/', token);
      await scenario.expectEventually(200, '/readyz');
    },
  );

  it.each(REVIEWING)(
    '%s is ready again after a second when the API server has just started and has not loaded its roles',
    async (verifier) => {
      scenario = await Scenario.start({ verifier, adapter: 'express', serverOnly: true });
      const token = await scenario.bearer();
      await scenario.expectEventually(200, '/readyz');
      await scenario.cluster.outage();
      await scenario.cluster.recover();
      scenario.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status: 403 }, times: 1 });
      expect((await scenario.waitFor(scenario.request('/', token))).status).toBe(503);
      expect((await scenario.request('/readyz')).status).toBe(503);
      // The kubelet takes a pod out of its Service after three such answers, 2 s apart.
      await scenario.clock.advance(1_000);
      await scenario.expectEventually(200, '/readyz');
    },
  );

  it.each(['oidc-discovery', 'hybrid'] as const)(
    '%s without the role for keys answers 503, is not ready, logs the role, and recovers when it is granted',
    async (verifier) => {
      scenario = await Scenario.start({
        verifier,
        adapter: 'express',
        serverOnly: true,
        withoutDiscovery: true,
      });
      const token = await scenario.bearer();
      expect((await scenario.waitFor(scenario.request('/', token))).status).toBe(503);
      expect((await scenario.request('/readyz')).status).toBe(503);
      expect(scenario.log.text).toContain('system:service-account-issuer-discovery');
      scenario.cluster.grant('read discovery', 'mytest/service2');
      await scenario.clock.advance(10_000);
      await scenario.expectEventually(200, '/', token);
      await scenario.expectEventually(200, '/readyz');
    },
  );
});
