import { afterEach, describe, expect, it } from '@jest/globals';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

describe.each(EVERYWHERE)('service1 and service2: $verifier on $adapter', ({ verifier, adapter }) => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  it('service1 logs the line of the tutorial', async () => {
    scenario = await Scenario.start({ verifier, adapter });
    expect(scenario.log.text).toContain(`start client: ${scenario.service2.url}`);
    expect(scenario.log.text).toContain(
      `target=${scenario.service2.url}, status=200, response: 'hello system:serviceaccount:mytest:default'`,
    );
    const readyz = await fetch(`${scenario.service1.url}/readyz`);
    const livez = await fetch(`${scenario.service1.url}/livez`);
    expect([readyz.status, livez.status]).toEqual([200, 200]);
  });

  it('service1 logs the principal that service2 returns for it', async () => {
    scenario = await Scenario.start({ verifier, adapter, targetPath: '/whoami' });
    const [, body = ''] = /\/whoami, status=200, response: '(.*)'/.exec(scenario.log.text) ?? [];
    expect(JSON.parse(body)).toMatchObject({ credentialId: expect.any(String), verifiedBy: verifier });
  });

  it('both leave no timer and no connection behind', async () => {
    scenario = await Scenario.start({ verifier, adapter });
    await scenario.service2.app.close();
    await scenario.service1.app.close();
    expect(scenario.clock.pendingTimers).toBe(0);
  });

  it('service2 takes its audience from the environment', async () => {
    scenario = await Scenario.start({
      verifier,
      adapter,
      serverOnly: true,
      environment: { SERVICE2_AUDIENCE: 'greeter' },
    });
    expect((await scenario.request('/', await scenario.bearer())).status).toBe(401);
    expect((await scenario.request('/', await scenario.bearer({ audiences: ['greeter'] }))).status).toBe(200);
  });
});
