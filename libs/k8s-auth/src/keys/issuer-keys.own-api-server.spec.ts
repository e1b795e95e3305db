import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type OwnCluster, startOwnCluster } from '../api-server/own-cluster.fixture.js';
import { findOwnApiServer, openIssuerKeys } from './issuer-keys.js';

let own: OwnCluster;
let home: string;

beforeEach(async () => {
  own = await startOwnCluster();
  home = await mkdtemp(join(tmpdir(), 'home-'));
  await mkdir(join(home, '.kube'));
  await cp(await own.cluster.writeKubeconfig(), join(home, '.kube', 'config'));
});
afterEach(async () => {
  await own.close();
  await rm(home, { recursive: true });
});

describe('findOwnApiServer', () => {
  const context = () => ({ clock: own.clock, log: own.log, environment: { HOME: home, USERPROFILE: home } });

  it('uses the kubeconfig in the home directory if keys are read from the API server', async () => {
    const found = await findOwnApiServer({}, context());
    expect(found?.url).toBe(own.cluster.url);
    const asked = await findOwnApiServer({ issuer: 'https://issuer.example', apiServer: {} }, context());
    expect(asked?.url).toBe(own.cluster.url);
  });

  it('ignores the home directory if the issuer is configured', async () => {
    expect(await findOwnApiServer({ issuer: 'https://issuer.example' }, context())).toBeUndefined();
    expect(own.log.events).toEqual([]);
  });

  it("reports its mistakes together with those of the issuer's CA", async () => {
    const options = { caFile: '/missing/ca.crt', apiServer: { kubeconfigFile: '/missing/kubeconfig' } };
    await expect(openIssuerKeys(options, context())).rejects.toMatchObject({
      mistakes: [expect.stringContaining("'caFile'"), expect.stringContaining("'apiServer.kubeconfigFile'")],
    });
  });
});
