import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/util/clock.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { expectNoTokenText } from '../../testing/verifier-bench.fixture.js';
import { REQUEST_TIMEOUT_MS } from './doctor-context.js';
import { DoctorBench, messageOf, statusesOf } from './doctor.fixture.js';

let bench: DoctorBench;
let directory: string;

beforeEach(async () => {
  bench = await DoctorBench.start();
  directory = mkdtempSync(join(tmpdir(), 'doctor-'));
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await bench.close();
});

describe('doctor --inbound', () => {
  it.each(['oidc-discovery', 'hybrid', 'tokenreview'])(
    'finds nothing wrong with %s in a good cluster',
    async (kind) => {
      bench.cluster.grant('create tokenreviews', 'shop/orders');
      const steps = await bench.diagnose(bench.environment(kind));
      expect(steps.filter(({ status }) => status !== 'ok')).toEqual([]);
      expect(statusesOf(steps)).toMatchObject({
        'own-token-layout': 'ok',
        clock: 'ok',
        keys: 'ok',
        'external-signer': 'ok',
      });
    },
  );

  it('names the ServiceAccount, the missing right and the command that grants it', async () => {
    const steps = await bench.diagnose(bench.environment('tokenreview'));
    expect(messageOf(steps, 'right-tokenreviews')).toContain(
      'kubectl create clusterrolebinding shop-orders-auth-delegator --clusterrole=system:auth-delegator --serviceaccount=shop:orders',
    );
    expect(statusesOf(steps)).toMatchObject({ 'right-tokenreviews': 'failed', keys: 'ok' });
  });

  it('states the binding that gives the right, in the words of the API server', async () => {
    bench.cluster.grant('create tokenreviews', 'shop/orders');
    const steps = await bench.diagnose(bench.environment('tokenreview'));
    expect(messageOf(steps, 'right-tokenreviews')).toMatch(
      /may create tokenreviews \(RBAC: allowed by ClusterRoleBinding ".+" of ClusterRole "system:auth-delegator"/,
    );
  });

  it('tells a missing ClusterRole from a missing binding', async () => {
    const reason = 'RBAC: clusterrole.rbac.authorization.k8s.io "reviewer" not found';
    const body = (honest: object) => ({ ...honest, status: { allowed: false, reason } });
    bench.cluster.faults.set({ on: 'accessreviews', fault: { kind: 'body', body } });
    const steps = await bench.diagnose(bench.environment('hybrid'));
    expect(messageOf(steps, 'right-tokenreviews')).toContain('its ClusterRole reviewer does not');
  });

  it('says that the right to read the keys is missing', async () => {
    bench.cluster.revoke('read discovery', 'shop/orders');
    const steps = await bench.diagnose(bench.environment('oidc-discovery'));
    expect(statusesOf(steps)).toMatchObject({ 'right-discovery': 'failed', keys: 'failed' });
    const lenient = await bench.diagnose(bench.environment('tokenreview'));
    expect(statusesOf(lenient)).toMatchObject({ 'right-discovery': 'warning', keys: 'warning' });
  });

  it('says that the API server cannot be reached', async () => {
    await bench.cluster.outage();
    const steps = await bench.diagnose(bench.environment('oidc-discovery'));
    expect(messageOf(steps, 'api-server-reachable')).toMatch(
      /cannot be reached: check the address.*ECONNREFUSED/,
    );
    expect(statusesOf(steps)).toMatchObject({ 'api-server-reachable': 'failed', 'own-token': 'ok' });
  });

  it('says that an API server accepts connections and does not answer, after 5 s', async () => {
    await bench.cluster.outage('hang');
    const clock = new FakeClock(Date.now());
    const diagnosis = bench.diagnose(bench.environment('oidc-discovery'), { clock });
    while (clock.pendingTimers === 0 || bench.cluster.openConnections === 0) await nextTurn();
    await clock.advance(REQUEST_TIMEOUT_MS);
    const steps = await diagnosis;
    expect(messageOf(steps, 'api-server-reachable')).toMatch(/cannot be reached: .* 5000 ms/);
    expect(statusesOf(steps)).toMatchObject({ 'api-server-reachable': 'failed', 'own-token': 'ok' });
    expect(statusesOf(steps)).not.toHaveProperty('keys');
  });

  it('says that the certificate is not trusted', async () => {
    const { K8S_AUTH_API_SERVER_CA_FILE: _, ...rest } = bench.environment('oidc-discovery');
    const steps = await bench.diagnose(rest);
    expect(messageOf(steps, 'api-server-ca')).toContain('set K8S_AUTH_API_SERVER_CA_FILE');
  });

  it('says that the API server refuses our own credential', async () => {
    await bench.cluster.deleteServiceAccount('shop', 'orders');
    const steps = await bench.diagnose(bench.environment('oidc-discovery'));
    expect(statusesOf(steps)).toMatchObject({ 'api-server-reachable': 'ok', 'own-credential': 'failed' });
  });

  it('compares our clock with the Date of the API server', async () => {
    const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + 120_000 };
    const steps = await bench.diagnose(bench.environment('oidc-discovery'), { clock });
    expect(messageOf(steps, 'clock')).toContain('Our clock is 2 minutes ahead of that of the API server');
    expect(statusesOf(steps).clock).toBe('failed');
  });

  it('compares the configured issuer with the one that the API server names', async () => {
    const wrong = bench.environment('oidc-discovery', { K8S_AUTH_ISSUER: `${bench.cluster.issuer}/` });
    const steps = await bench.diagnose(wrong);
    expect(messageOf(steps, 'issuer')).toContain('but K8S_AUTH_ISSUER names');
    expect(statusesOf(steps).issuer).toBe('failed');
  });

  it('says that our own token is signed with a key that is not published', async () => {
    const jwks = { keys: [] as unknown[] };
    const other = await DoctorBench.start();
    const published = other.cluster.faults.set({
      on: 'jwks',
      fault: { kind: 'body', body: (honest) => Object.assign(jwks, honest) },
    });
    await other.diagnose(other.environment('oidc-discovery'));
    published();
    await other.close();
    bench.cluster.faults.set({ on: 'jwks', fault: { kind: 'body', body: () => jwks } });
    const steps = await bench.diagnose(bench.environment('oidc-discovery'));
    expect(messageOf(steps, 'external-signer')).toContain('as with an external signer');
    expect(statusesOf(steps)).toMatchObject({ keys: 'ok', 'external-signer': 'failed' });
  });

  it('names every mistake in the variables, and what is not set', async () => {
    const steps = await bench.diagnose({ K8S_AUTH_DESTINATIONS: 'nonsense' }, { only: 'inbound' });
    expect(messageOf(steps, 'configuration')).toMatch(
      /K8S_AUTH_DESTINATIONS: expected.*K8S_AUTH_VERIFIER: is not set/,
    );
    expect(steps).toHaveLength(1);
  });

  it('says which variables are needed if none is set', async () => {
    const steps = await bench.diagnose({ PATH: '/bin' });
    expect(messageOf(steps, 'configuration')).toContain('even if it uses forRoot');
  });

  it('refuses an audience that the API server accepts too', async () => {
    const environment = bench.environment('oidc-discovery', {
      K8S_AUTH_AUDIENCE: 'https://kubernetes.default.svc',
    });
    expect(statusesOf(await bench.diagnose(environment)).audience).toBe('failed');
  });

  it('reads public key files, and names a mistake in them', async () => {
    const file = join(directory, 'sa.pub');
    const environment = {
      K8S_AUTH_VERIFIER: 'jwt-pubkey',
      K8S_AUTH_ISSUER: bench.cluster.issuer,
      K8S_AUTH_PUBLIC_KEY_FILES: file,
    };
    expect(messageOf(await bench.diagnose(environment), 'public-key-files')).toContain(
      `${file}: expected a file`,
    );
    writeFileSync(file, bench.cluster.publicKeysPem());
    expect(statusesOf(await bench.diagnose(environment))['public-key-files']).toBe('ok');
  });

  it('says that a token file that is mounted with subPath is never renewed', async () => {
    const tokenFile = join(directory, 'token');
    const token = await bench.cluster.createToken({ namespace: 'shop', serviceAccount: 'orders' });
    writeFileSync(tokenFile, token);
    mkdirSync(join(directory, 'proc/self'), { recursive: true });
    writeFileSync(join(directory, 'proc/self/mountinfo'), `36 35 98:0 /x ${tokenFile} rw - tmpfs tmpfs rw\n`);
    const environment = bench.environment('oidc-discovery', { K8S_AUTH_API_SERVER_TOKEN_FILE: tokenFile });
    const steps = await bench.diagnose(environment, { root: directory });
    expect(messageOf(steps, 'own-token-layout')).toContain('is mounted with subPath');
    expect(statusesOf(steps)['own-token-layout']).toBe('failed');
    expectNoTokenText(steps, token);
  });
});
