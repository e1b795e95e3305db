import { afterEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from 'nest-k8s-auth/testing';
import { CapturedLog } from '../support/captured-log.js';
import { ADAPTERS, type RunningApp, startService1 } from '../support/services.js';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

const PROBES = 5;
/** Details that the public endpoint must not show: addresses, error codes, origins, files, rights. */
const INTERNALS = /127\.0\.0\.1|localhost|\d:\d+|E[A-Z]{4,}|https?:|\/no\/such|tokenreviews|API server|keys/;

interface Probe {
  readonly status: number;
  readonly body: string;
}

async function probe(url: string): Promise<Probe> {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, body: await response.text() };
}

/** Probes as often as a kubelet. */
async function probes(ask: () => Promise<Probe>): Promise<Probe[]> {
  const answers = [];
  for (let count = 0; count < PROBES; count++) answers.push(await ask());
  return answers;
}

function body(status: 'ok' | 'degraded' | 'error', indicator: 'up' | 'degraded' | 'down'): object {
  const details = { 'k8s-auth': { status: indicator } };
  return status === 'error'
    ? { status, info: {}, error: details, details }
    : { status, info: details, error: {}, details };
}

describe.each(EVERYWHERE.filter(({ verifier }) => verifier !== 'jwt-pubkey'))(
  '/readyz of service2: $verifier on $adapter',
  ({ verifier, adapter }) => {
    let scenario: Scenario;
    afterEach(() => scenario?.close());

    const readiness = () => scenario.log.matching(/readiness/);

    it('shows only its status, and logs the reason once', async () => {
      scenario = await Scenario.start({ verifier, adapter, serverOnly: true, outageAtBoot: true });
      await scenario.waitFor(scenario.request('/', await scenario.bearer()), 500);
      for (const answer of await probes(() => scenario.request('/readyz'))) {
        expect(answer.status).toBe(503);
        expect(JSON.parse(answer.body)).toEqual(body('error', 'down'));
        expect(answer.body).not.toMatch(INTERNALS);
      }
      expect(readiness()).toEqual([
        expect.stringMatching(/^warn .*readiness.*not-ready.*ECONNREFUSED 127\.0\.0\.1:\d+/),
      ]);
      await scenario.cluster.recover();
      await scenario.waitFor(scenario.expectEventually(200, '/readyz'), 500);
      expect(readiness().at(-1)).toMatch(/^log .*readiness.*'ready'/);
    });

    it('states the reason only in the log during an outage too', async () => {
      scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
      expect((await scenario.request('/', await scenario.bearer())).status).toBe(200);
      await scenario.cluster.outage();
      await scenario.clock.advance(5 * 60_000);
      await scenario.waitFor(scenario.request('/', await scenario.bearer({ serviceAccount: 'admin' })), 500);
      // Keys are refreshed in the background.
      while (!(await scenario.request('/readyz')).body.includes('degraded'))
        await scenario.clock.advance(500);
      const answers = await probes(() => scenario.request('/readyz'));
      for (const answer of answers) expect(JSON.parse(answer.body)).toEqual(body('degraded', 'degraded'));
      const lines = readiness().filter((line) => line.includes('degraded'));
      expect(lines.at(-1)).toMatch(/^warn /);
      // A background attempt may end with another reason between two probes. This is logged as a change; no line is
      // repeated.
      expect(new Set(lines).size).toBe(lines.length);
    });
  },
);

describe.each(ADAPTERS)('/readyz of service1 on %s', (adapter) => {
  let service1: RunningApp;
  afterEach(() => service1?.app.close());

  it('shows only its status, and logs once which destination has no token', async () => {
    const log = new CapturedLog();
    service1 = await startService1({
      ...{ adapter, clock: new FakeClock(), log },
      environment: {
        TARGET_URL: 'http://127.0.0.1:1',
        INTERVAL_MS: '86400000',
        K8S_AUTH_DESTINATIONS: 'http://127.0.0.1:1=/no/such/file',
      },
    });
    await log.waitFor(/target=/);
    for (const answer of await probes(() => probe(service1.url))) {
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body)).toEqual(body('error', 'down'));
      expect(answer.body).not.toMatch(INTERNALS);
    }
    expect(log.matching(/readiness/)).toEqual([
      expect.stringMatching(/^warn .*not-ready.*no token for http:\/\/127\.0\.0\.1:1/),
    ]);
  });
});
