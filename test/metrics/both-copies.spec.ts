import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { buildOnce } from '../integration/shutdown/application-process.fixture.js';

const SCRIPT = join(import.meta.dirname, 'both-copies.process.mjs');

let cluster: LocalCluster;

beforeAll(buildOnce, 300_000);
beforeAll(async () => {
  cluster = await LocalCluster.start();
});
afterAll(() => cluster?.close());

it('the ES and CommonJS copies of the library share the metrics of one registry', async () => {
  const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'default' });
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, join(mount, 'token')]);
  const { areTwoCopies, metrics } = JSON.parse(stdout) as { areTwoCopies: boolean; metrics: string };
  expect(areTwoCopies).toBe(true);
  const destinations = [
    ...metrics.matchAll(/^k8s_auth_own_token_expires_in_seconds\{destination="(.*)"\}/gm),
  ];
  expect(destinations.map(([, origin]) => origin)).toEqual(['http://destination-0', 'http://destination-1']);
});
