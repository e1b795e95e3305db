import { afterEach, describe, expect, it } from '@jest/globals';
import { register } from 'prom-client';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

describe.each(EVERYWHERE)('/metrics of service2, $verifier on $adapter', ({ verifier, adapter }) => {
  let scenario: Scenario | undefined;
  afterEach(async () => {
    await scenario?.close();
    scenario = undefined;
    register.clear();
  });

  it('answers without a token, counts the calls, and contains no token text and no names of callers', async () => {
    scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
    const authorization = await scenario.bearer();
    for (let call = 0; call < 2; call++)
      expect((await scenario.request('/', authorization)).status).toBe(200);
    expect((await scenario.request('/')).status).toBe(401);
    const { status, body, headers } = await scenario.request('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = body.split('\n');
    expect(lines).toContain(
      `k8s_auth_verdicts_total{verifier="${verifier}",outcome="accepted",code="none"} 2`,
    );
    expect(lines).toContain(
      `k8s_auth_verdicts_total{verifier="${verifier}",outcome="missing",code="ERR_K8S_AUTH_TOKEN_MISSING"} 1`,
    );
    expect(lines).toContain('k8s_auth_ready 1');
    expect(body).not.toContain('eyJ');
    expect(body).not.toContain('serviceaccount');
  });
});
