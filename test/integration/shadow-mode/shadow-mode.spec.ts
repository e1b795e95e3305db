import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { ApplicationProcess, buildOnce } from '../shutdown/application-process.fixture.js';

const BUILD_MS = 120_000;
const RUN_MS = 30_000;

let cluster: LocalCluster;
let directory: string;
let service2: ApplicationProcess;

beforeAll(buildOnce, BUILD_MS);

afterEach(async () => {
  await service2?.signal('SIGKILL');
  await cluster?.close();
  rmSync(directory, { recursive: true });
});

/** service2 as a process of its own, with the keys of a stand-in for the cluster. */
async function start(environment: Record<string, string>): Promise<string> {
  directory = mkdtempSync(join(tmpdir(), 'shadow-mode-'));
  const keys = join(directory, 'sa.pub');
  cluster = await LocalCluster.start();
  // Creates the namespace, and with it the ServiceAccount default.
  await cluster.createServiceAccount('mytest', 'service2');
  writeFileSync(keys, cluster.publicKeysPem());
  service2 = await ApplicationProcess.launch('service2', {
    environment: {
      K8S_AUTH_VERIFIER: 'jwt-pubkey',
      K8S_AUTH_ISSUER: cluster.issuer,
      K8S_AUTH_PUBLIC_KEY_FILES: keys,
      ...environment,
    },
  });
  (await service2.connect()).destroy();
  return `http://127.0.0.1:${service2.port}`;
}

async function bearer(audience = 'service2'): Promise<string> {
  const request = { namespace: 'mytest', serviceAccount: 'default', audiences: [audience] };
  return `Bearer ${await cluster.createToken(request)}`;
}

async function get(url: string, authorization?: string) {
  const response = await fetch(url, authorization === undefined ? {} : { headers: { authorization } });
  return { status: response.status, body: await response.text() };
}

describe('service2 as a process in shadow mode', () => {
  it(
    'passes and logs what it would refuse, and names its routes at startup',
    async () => {
      const url = await start({ K8S_AUTH_ENFORCE: 'false' });
      const [warning] = await service2.waitFor(/K8sAuth is not enforced/);
      expect(warning).toMatch(
        /WARN.*HelloController\.hello.*HelloController\.whoami.*AdminController\.admin/,
      );
      expect(await get(url)).toEqual({ status: 200, body: 'hello undefined' });
      expect((await get(url, await bearer('other'))).status).toBe(200);
      expect(await get(url, await bearer())).toEqual({
        status: 200,
        body: 'hello system:serviceaccount:mytest:default',
      });
      const admin = await get(`${url}/admin`, await bearer());
      expect(JSON.parse(admin.body)).toMatchObject({ username: 'system:serviceaccount:mytest:default' });
      const lines = await service2.waitFor(/request would be refused, but passes/, 3);
      expect(lines.map((line) => /ERR_K8S_AUTH_\w+/.exec(line)?.[0])).toEqual([
        'ERR_K8S_AUTH_TOKEN_MISSING',
        'ERR_K8S_AUTH_TOKEN_AUDIENCE',
        'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN',
      ]);
      expect(lines[1]).toContain("route: 'GET /'");
      expect(service2.text).not.toMatch(/eyJ[\w-]{20}/);
    },
    RUN_MS,
  );

  it(
    'refuses the same requests without the variable',
    async () => {
      const url = await start({});
      expect((await get(url)).status).toBe(401);
      expect((await get(url, await bearer('other'))).status).toBe(401);
      expect((await get(`${url}/admin`, await bearer())).status).toBe(403);
      expect(service2.text).not.toContain('not enforced');
    },
    RUN_MS,
  );

  it(
    'does not start with a variable that is neither true nor false',
    async () => {
      directory = mkdtempSync(join(tmpdir(), 'shadow-mode-'));
      cluster = await LocalCluster.start();
      service2 = await ApplicationProcess.launch('service2', { environment: { K8S_AUTH_ENFORCE: 'no' } });
      expect(await service2.ended).not.toBe(0);
      expect(service2.text).toContain('K8S_AUTH_ENFORCE: expected true or false');
    },
    RUN_MS,
  );
});
