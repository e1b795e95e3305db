import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { ApplicationProcess, buildOnce } from '../integration/shutdown/application-process.fixture.js';
import { panelQueries } from './monitoring-files.fixture.js';
import { hasPrometheus, NEEDS_PROMETHEUS, Prometheus } from './prometheus.fixture.js';

const SETUP_MS = 240_000;
const TEST_MS = 120_000;
const OUTCOMES = ['accepted', 'forbidden', 'malformed', 'missing', 'rejected', 'unavailable'];

let cluster: LocalCluster;
let enforced: ApplicationProcess;
let shadow: ApplicationProcess;
let prometheus: Prometheus;

async function launch(environment: Record<string, string>): Promise<ApplicationProcess> {
  const mount = await cluster.writeInClusterMount({ namespace: 'mytest', serviceAccount: 'service2' });
  const service2 = await ApplicationProcess.launch('service2', {
    environment: {
      K8S_AUTH_API_SERVER_URL: cluster.url,
      K8S_AUTH_API_SERVER_CA_FILE: join(mount, 'ca.crt'),
      K8S_AUTH_API_SERVER_TOKEN_FILE: join(mount, 'token'),
      // Those of the fixture, for another verifier.
      K8S_AUTH_ISSUER: cluster.issuer,
      ...environment,
    },
  });
  (await service2.connect()).destroy();
  return service2;
}

async function bearer(audience = 'service2'): Promise<string> {
  const request = { namespace: 'mytest', serviceAccount: 'default', audiences: [audience] };
  return `Bearer ${await cluster.createToken(request)}`;
}

/** One request of each kind of caller. */
async function callAs(application: ApplicationProcess): Promise<number[]> {
  const get = async (path: string, authorization?: string) => {
    const headers = new Headers(authorization === undefined ? {} : { authorization });
    const response = await fetch(`http://127.0.0.1:${application.port}${path}`, { headers });
    await response.text();
    return response.status;
  };
  const genuine = await bearer();
  return [
    await get('/', genuine),
    await get('/', genuine),
    await get('/admin', genuine),
    await get('/', await bearer('other')),
    await get('/', 'Bearer a b'),
    await get('/'),
  ];
}

/** Calls both services until the check holds; Prometheus scrapes them meanwhile. */
async function callUntil(check: () => Promise<boolean>): Promise<void> {
  do {
    await callAs(enforced);
    await callAs(shadow);
  } while (!(await check()));
}

async function hasData(expression: string): Promise<boolean> {
  const results = await prometheus.query(expression);
  return results.some(({ value }) => !Number.isNaN(value));
}

(hasPrometheus ? describe : describe.skip)(
  `service2, scraped by a real Prometheus${NEEDS_PROMETHEUS}`,
  () => {
    beforeAll(async () => {
      buildOnce();
      cluster = await LocalCluster.start();
      for (const name of ['service2', 'admin']) await cluster.createServiceAccount('mytest', name);
      cluster.grant('create tokenreviews', 'mytest/service2');
      enforced = await launch({ K8S_AUTH_VERIFIER: 'hybrid' });
      shadow = await launch({ K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_ENFORCE: 'false' });
      prometheus = await Prometheus.start({
        service2: `127.0.0.1:${enforced.port}`,
        'service2-shadow': `127.0.0.1:${shadow.port}`,
      });
    }, SETUP_MS);

    afterAll(async () => {
      await prometheus?.stop();
      await Promise.all([enforced, shadow].map((one) => one?.signal('SIGKILL')));
      await cluster?.close();
    });

    it('answers each kind of caller with its status, and passes all in shadow mode', async () => {
      expect(await callAs(enforced)).toEqual([200, 200, 403, 401, 400, 401]);
      expect(await callAs(shadow)).toEqual([200, 200, 200, 200, 200, 200]);
    });

    it.each(panelQueries().map(({ panel, expression, resolved }) => [panel, expression, resolved]))(
      'has data for the panel "%s": %s',
      async (_panel, _expression, resolved) => {
        await callUntil(() => hasData(resolved));
        expect(await hasData(resolved)).toBe(true);
      },
      TEST_MS,
    );

    it(
      'tells which routes in shadow mode would refuse whom, and alerts',
      async () => {
        await callUntil(async () => (await prometheus.alerts()).includes('K8sAuthNotEnforced'));
        const results = await prometheus.query('k8s_auth_would_refuse_total');
        const counted = results.map(({ labels }) => `${labels['job']} ${labels['route']} ${labels['code']}`);
        expect(counted.sort()).toEqual([
          'service2-shadow GET / ERR_K8S_AUTH_CREDENTIALS_MALFORMED',
          'service2-shadow GET / ERR_K8S_AUTH_TOKEN_AUDIENCE',
          'service2-shadow GET / ERR_K8S_AUTH_TOKEN_MISSING',
          'service2-shadow GET /admin ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN',
        ]);
      },
      TEST_MS,
    );

    it(
      'shows an outage of the API server: undecided requests, an open circuit and an alert',
      async () => {
        const genuine = await bearer();
        await cluster.outage();
        const call = async () => {
          const headers = { authorization: genuine };
          await (await fetch(`http://127.0.0.1:${enforced.port}/`, { headers })).text();
        };
        const outcomes = async () => {
          const results = await prometheus.query(
            'sum by (outcome) (k8s_auth_verdicts_total{job="service2"})',
          );
          return results.map(({ labels }) => labels['outcome']).sort();
        };
        do await call();
        while (!(await prometheus.alerts()).includes('K8sAuthApiServerUnreachable'));
        while (!(await outcomes()).includes('unavailable')) await call();
        expect(await outcomes()).toEqual(OUTCOMES);
        expect(await prometheus.query('k8s_auth_api_server_circuit_open{job="service2"} == 1')).toHaveLength(
          1,
        );
        expect(await prometheus.query('k8s_auth_ready{job="service2"}')).toMatchObject([{ value: 1 }]);
      },
      TEST_MS,
    );
  },
);
