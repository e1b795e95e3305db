import { type INestApplication } from '@nestjs/common';
import { Counter, register, Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type OwnCluster, startOwnCluster } from '../src/api-server/own-cluster.fixture.js';
import { send } from '../test-support/inbound-app.js';
import { eventually } from '../test-support/until.js';
import {
  mintFor,
  startWatchedApp,
  watchedOptions,
  type WatchedVerifier,
} from '../test-support/watched-app.js';
import { K8sAuthPrometheusModule } from './index.js';

let own: OwnCluster;
let registry: Registry;
const apps: INestApplication[] = [];

beforeEach(async () => {
  own = await startOwnCluster();
  registry = new Registry();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  register.clear();
  await own.close();
});

async function start(kind: WatchedVerifier, imports = [K8sAuthPrometheusModule.forRoot({ registry })]) {
  const options = { ...watchedOptions(own, kind), destinations: [DESTINATION(own)] };
  const { app, url } = await startWatchedApp(own, options, imports);
  apps.push(app);
  return { app, url };
}

const DESTINATION = ({ tokenFile }: OwnCluster) => ({ origin: 'http://orders', tokenFile });

/** The lines of the text format, without comments, and of a histogram without its buckets and its sum. */
async function metricsOf(source: Registry): Promise<Record<string, number>> {
  const lines = (await source.metrics()).split('\n').filter((line) => line.startsWith('k8s_auth'));
  const figures = lines.filter((line) => !/_(bucket|sum)/.test(line)).map((line) => line.split(/ (?=\S+$)/));
  return Object.fromEntries(figures.map(([name = '', value]) => [name, Number(value)]));
}

describe('K8sAuthPrometheusModule', () => {
  it('counts the verdicts by verifier, outcome and reason', async () => {
    const { url } = await start('oidc-discovery');
    const token = await mintFor(own);
    for (let request = 0; request < 3; request++) await send(`${url}/orders/${request}`, `Bearer ${token}`);
    await send(`${url}/orders/1`, `Bearer ${await mintFor(own, 'cart')}`);
    await send(`${url}/orders/1/lines`, `Bearer ${token}`);
    await send(`${url}/orders/1`, 'Bearer a b');
    await send(`${url}/orders/1`);
    const verdicts = (outcome: string, code: string) =>
      `k8s_auth_verdicts_total{verifier="oidc-discovery",outcome="${outcome}",code="${code}"}`;
    expect(await metricsOf(registry)).toMatchObject({
      [verdicts('accepted', 'none')]: 3,
      [verdicts('rejected', 'ERR_K8S_AUTH_TOKEN_AUDIENCE')]: 1,
      [verdicts('forbidden', 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN')]: 1,
      [verdicts('malformed', 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED')]: 1,
      [verdicts('missing', 'ERR_K8S_AUTH_TOKEN_MISSING')]: 1,
      'k8s_auth_verdict_cache_hits_total{verifier="oidc-discovery"}': 3,
      // The first use of each of two tokens, and the credentials that are malformed.
      'k8s_auth_verdict_cache_misses_total{verifier="oidc-discovery"}': 3,
      'k8s_auth_verify_duration_seconds_count{verifier="oidc-discovery"}': 3,
      k8s_auth_keys: 1,
      k8s_auth_ready: 1,
    });
    expect(await metricsOf(registry)).not.toHaveProperty('k8s_auth_api_server_circuit_open');
  });

  it('measures the reviews of the API server', async () => {
    const { url } = await start('tokenreview');
    const token = await mintFor(own);
    await send(`${url}/orders/1`, `Bearer ${token}`);
    await send(`${url}/orders/1`, `Bearer ${token}`);
    const deleted = await mintFor(own);
    await own.cluster.deleteServiceAccount('shop', 'checkout');
    await send(`${url}/orders/1`, `Bearer ${deleted}`);
    expect(await metricsOf(registry)).toMatchObject({
      'k8s_auth_token_reviews_total{result="accepted"}': 1,
      'k8s_auth_token_reviews_total{result="rejected"}': 1,
      'k8s_auth_token_reviews_total{result="unavailable"}': 0,
      k8s_auth_token_review_duration_seconds_count: 2,
      k8s_auth_token_reviews_in_flight: 0,
      k8s_auth_token_reviews_waiting: 0,
      k8s_auth_api_server_circuit_open: 0,
    });
    expect(await metricsOf(registry)).not.toHaveProperty('k8s_auth_keys');
  });

  it('reports reviews in flight, and that the circuit is open during an outage', async () => {
    const { url } = await start('tokenreview');
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'hang' } });
    const answer = send(`${url}/orders/1`, `Bearer ${await mintFor(own)}`);
    await eventually(async () =>
      expect(await metricsOf(registry)).toMatchObject({ k8s_auth_token_reviews_in_flight: 1 }),
    );
    await own.clock.advance(5_000);
    expect((await answer).status).toBe(503);
    expect(await metricsOf(registry)).toMatchObject({
      k8s_auth_api_server_circuit_open: 1,
      'k8s_auth_token_reviews_total{result="unavailable"}': 1,
    });
  });

  it('reports the age of the keys, and the own tokens of each destination', async () => {
    await start('oidc-discovery');
    await eventually(async () => expect(await metricsOf(registry)).toMatchObject({ k8s_auth_keys: 1 }));
    const before = await metricsOf(registry);
    await own.clock.advance(60_000);
    const after = await metricsOf(registry);
    const grown = (name: string) => (after[name] ?? NaN) - (before[name] ?? NaN);
    expect(grown('k8s_auth_keys_age_seconds')).toBe(60);
    expect(grown('k8s_auth_own_token_expires_in_seconds{destination="http://orders"}')).toBe(-60);
    expect(after).toHaveProperty('k8s_auth_own_token_file_age_seconds{destination="http://orders"}');
  });

  it('counts each request once if two modules and two applications share a registry', async () => {
    const twice = [
      K8sAuthPrometheusModule.forRoot({ registry }),
      K8sAuthPrometheusModule.forRootAsync({ useFactory: () => ({ registry }) }),
    ];
    const { url, app } = await start('oidc-discovery', twice);
    const other = await start('oidc-discovery');
    const token = await mintFor(own);
    await send(`${url}/orders/1`, `Bearer ${token}`);
    await send(`${other.url}/orders/1`, `Bearer ${token}`);
    const counted = {
      'k8s_auth_verdicts_total{verifier="oidc-discovery",outcome="accepted",code="none"}': 2,
      'k8s_auth_verdict_cache_misses_total{verifier="oidc-discovery"}': 2,
      'k8s_auth_verify_duration_seconds_count{verifier="oidc-discovery"}': 2,
    };
    expect(await metricsOf(registry)).toMatchObject({ ...counted, k8s_auth_keys: 2 });
    await app.close();
    expect(await metricsOf(registry)).toMatchObject({ ...counted, k8s_auth_keys: 1 });
  });

  it('creates the metrics again after the registry was cleared, in the default registry too', async () => {
    const imports = [K8sAuthPrometheusModule.forRoot({})];
    await start('oidc-discovery', imports);
    register.clear();
    await start('oidc-discovery', imports);
    expect(await metricsOf(register)).toHaveProperty('k8s_auth_ready');
  });

  it('fails startup if another metric of the application has one of the names', async () => {
    new Counter({ name: 'k8s_auth_verdicts_total', help: 'mine', registers: [registry] });
    await expect(start('oidc-discovery')).rejects.toThrow('k8s_auth_verdicts_total');
  });
});
