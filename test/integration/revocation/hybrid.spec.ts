import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/services.js';
import { type Answer, Scenario } from '../support/scenario.js';

const REVOCATION_CHECK_MS = 1_000;
/** How long a real API server keeps accepting a token that it has just accepted. */
const API_SERVER_REMEMBERS_MS = 10_000;
const BOUND_MS = REVOCATION_CHECK_MS + API_SERVER_REMEMBERS_MS;
const STEP_MS = 100;
const TOKEN_SECONDS = 600;

describe.each(ADAPTERS)('hybrid on %s', (adapter) => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    scenario = await Scenario.start({
      ...{ verifier: 'hybrid', adapter, serverOnly: true },
      cluster: { acceptedTokenCacheMs: API_SERVER_REMEMBERS_MS },
      environment: { K8S_AUTH_REVOCATION_CHECK_MS: String(REVOCATION_CHECK_MS), ...environment },
    });
  }

  const request = (token: string, path = '/'): Promise<Answer> => scenario.request(path, token);
  const statusOf = async (token: string) => (await request(token)).status;
  /**
   * Enough for a request that waits until its review times out. The clock stands still at first, because service2 reads the
   * file of its own token in real time, and that read has a deadline too.
   */
  const patientStatusOf = async (token: string) => {
    const pending = statusOf(token);
    // Reads of our own take as long as that read does, on a busy machine too.
    for (let n = 0; n < 100; n++) await readFile(import.meta.filename);
    return scenario.waitFor(pending, 500);
  };
  const reviews = () => scenario.cluster.requests.count({ endpoint: 'tokenreviews' });

  /** Uses the token continuously until it is refused. */
  async function useUntilRefused(token: string): Promise<{ answer: Answer; afterMs: number }> {
    for (let afterMs = 0; ; afterMs += STEP_MS) {
      const answer = await request(token);
      if (answer.status !== 200) return { answer, afterMs };
      if (afterMs > 2 * BOUND_MS) throw new Error('expected the token to be refused in time');
      await scenario.clock.advance(STEP_MS);
    }
  }

  async function usePodToken(): Promise<string> {
    await scenario.cluster.createPod('mytest', 'caller');
    const token = await scenario.bearer({ pod: 'caller', expirationSeconds: TOKEN_SECONDS });
    expect(await statusOf(token)).toBe(200);
    return token;
  }

  it('refuses the token of a deleted pod within the bound', async () => {
    await start();
    const token = await usePodToken();
    await scenario.cluster.deletePod('mytest', 'caller');
    const { answer, afterMs } = await useUntilRefused(token);
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    expect(afterMs).toBeGreaterThanOrEqual(REVOCATION_CHECK_MS);
    expect(afterMs).toBeLessThanOrEqual(BOUND_MS);
    expect(scenario.log.text).toContain('ERR_K8S_AUTH_TOKEN_REJECTED');
  });

  it('refuses at once a token of a deleted pod that was never reviewed', async () => {
    await start();
    await scenario.cluster.createPod('mytest', 'caller');
    const token = await scenario.bearer({ pod: 'caller' });
    await scenario.cluster.deletePod('mytest', 'caller');
    expect(await statusOf(token)).toBe(401);
  });

  it('refuses tokens of a deleted ServiceAccount within the bound, even if it was created again', async () => {
    await start();
    await scenario.cluster.createServiceAccount('mytest', 'worker');
    const token = await scenario.bearer({ serviceAccount: 'worker' });
    expect(await statusOf(token)).toBe(200);
    await scenario.cluster.deleteServiceAccount('mytest', 'worker');
    await scenario.cluster.createServiceAccount('mytest', 'worker');
    const { answer, afterMs } = await useUntilRefused(token);
    expect(answer.status).toBe(401);
    expect(afterMs).toBeLessThanOrEqual(BOUND_MS);
    expect(await request(await scenario.bearer({ serviceAccount: 'worker' }))).toMatchObject({
      status: 200,
      body: 'hello system:serviceaccount:mytest:worker',
    });
  });

  it('reviews a continuously used token once per period, and never a forged one', async () => {
    await start();
    const token = await scenario.bearer();
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    const periods = 20;
    for (let passedMs = 0; passedMs < periods * REVOCATION_CHECK_MS; passedMs += STEP_MS) {
      expect(await statusOf(token)).toBe(200);
      expect(await statusOf(forged)).toBe(401);
      await scenario.clock.advance(STEP_MS);
    }
    expect(reviews()).toBeGreaterThanOrEqual(periods / 2);
    expect(reviews()).toBeLessThanOrEqual(periods + 1);
  });

  it('answers 503 during an outage once the last answer has expired, never 401, and 200 after the outage', async () => {
    await start();
    const token = await scenario.bearer();
    expect(await statusOf(token)).toBe(200);
    await scenario.cluster.outage();
    expect(await statusOf(token)).toBe(200);
    await scenario.clock.advance(REVOCATION_CHECK_MS);
    const { status, headers } = await scenario.waitFor(request(token), 500);
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(headers['www-authenticate']).toBeUndefined();
    expect((await scenario.request('/readyz')).status).toBe(200);
    await scenario.cluster.recover();
    await scenario.clock.advance(500);
    await scenario.expectEventually(200, '/', token);
  });

  it("with 'accept-until-expiry' accepts by the signature during an outage, and notices a revocation after it", async () => {
    await start({ K8S_AUTH_WHEN_UNAVAILABLE: 'accept-until-expiry' });
    const token = await usePodToken();
    const lasting = await scenario.bearer({ expirationSeconds: TOKEN_SECONDS });
    await scenario.cluster.outage();
    await scenario.cluster.deletePod('mytest', 'caller');
    await scenario.clock.advance(2 * BOUND_MS);
    expect(await patientStatusOf(token)).toBe(200);
    // Also a token that it has never seen, but not a forged one.
    expect(await patientStatusOf(lasting)).toBe(200);
    expect(await patientStatusOf(`${token.slice(0, -8)}AAAAAAAA`)).toBe(401);
    await scenario.cluster.recover();
    await scenario.clock.advance(REVOCATION_CHECK_MS);
    await scenario.expectEventually(401, '/', token);
    expect(await statusOf(lasting)).toBe(200);
  });

  it("with 'accept-until-expiry' refuses a token after its exp", async () => {
    await start({ K8S_AUTH_WHEN_UNAVAILABLE: 'accept-until-expiry' });
    const token = await scenario.bearer({ expirationSeconds: TOKEN_SECONDS });
    expect(await statusOf(token)).toBe(200);
    await scenario.cluster.outage();
    // Far from its expiry, because the requests take time.
    await scenario.clock.advance(TOKEN_SECONDS * 500);
    expect(await patientStatusOf(token)).toBe(200);
    await scenario.clock.advance(TOKEN_SECONDS * 1_000);
    expect(await patientStatusOf(token)).toBe(401);
    expect(scenario.log.text).toContain('ERR_K8S_AUTH_TOKEN_EXPIRED');
  });

  it.each(['refuse', 'accept-until-expiry'])(
    "without the right to create tokenreviews and with '%s', answers 503, is not ready, and recovers when it is granted",
    async (whenUnavailable) => {
      await start({ K8S_AUTH_WHEN_UNAVAILABLE: whenUnavailable });
      await scenario.expectEventually(200, '/readyz');
      const token = await scenario.bearer();
      scenario.cluster.revoke('create tokenreviews', 'mytest/service2');
      expect(await statusOf(token)).toBe(503);
      expect((await scenario.request('/readyz')).status).toBe(503);
      expect(scenario.log.text).toContain('system:auth-delegator');
      scenario.cluster.grant('create tokenreviews', 'mytest/service2');
      await scenario.clock.advance(10_000);
      await scenario.expectEventually(200, '/', token);
      await scenario.expectEventually(200, '/readyz');
    },
  );
});
