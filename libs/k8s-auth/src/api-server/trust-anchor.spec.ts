import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../testing/fake-clock.js';
import { CertificateAuthority } from '../../testing/local-cluster/certificates.js';
import { endless, issueLoopback, startHttpsServer } from '../http/https-server.fixture.js';
import { ApiServerClient } from './api-server.client.js';
import { requireApiServer } from './api-server.connection.js';
import { type ApiServerOptions } from './api-server.options.js';
import { CapturedLog } from './own-cluster.fixture.js';

// A cluster whose CA is an intermediate CA: `ca.crt` contains only this CA.
let root: CertificateAuthority;
let clusterCa: CertificateAuthority;
let url: string;
let directory: string;
let clock: FakeClock;
const toClose: (() => Promise<void>)[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trust-anchor-'));
  clock = new FakeClock();
  root = await CertificateAuthority.create();
  clusterCa = await root.issueAuthority();
  const server = await startHttpsServer(await issueLoopback(clusterCa), (_request, response) =>
    response.end(),
  );
  toClose.push(() => server.close());
  ({ url } = server);
});

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

async function connect(options: ApiServerOptions): Promise<ApiServerClient> {
  const log = new CapturedLog();
  const connection = await requireApiServer(options, { clock, log, environment: {}, podRoot: directory });
  const client = new ApiServerClient(connection, { clock, log });
  toClose.push(() => client.close());
  return client;
}

const ask = (client: ApiServerClient) =>
  client.request({ method: 'GET', path: '/livez', deadline: endless(), retry: false });
const caFile = (authority: CertificateAuthority) => write('ca.crt', authority.pem);
const tokenFile = () => write('token', 'sha256~own');

function kubeconfig(cluster: object): string {
  return write(
    'kubeconfig',
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: url, ...cluster } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
}

describe('an intermediate CA is trusted', () => {
  it.each<[string, () => ApiServerOptions]>([
    ['in a CA file', () => ({ url, tokenFile: tokenFile(), caFile: caFile(clusterCa) })],
    [
      'in the data of a kubeconfig',
      () => ({
        kubeconfigFile: kubeconfig({
          'certificate-authority-data': Buffer.from(clusterCa.pem).toString('base64'),
        }),
      }),
    ],
    [
      'in the file of a kubeconfig',
      () => ({ kubeconfigFile: kubeconfig({ 'certificate-authority': caFile(clusterCa) }) }),
    ],
  ])('%s', async (_, options) => {
    await expect(ask(await connect(options()))).resolves.toMatchObject({ status: 200 });
  });

  it('after a CA file is replaced', async () => {
    const other = await root.issueAuthority();
    const client = await connect({ url, tokenFile: tokenFile(), caFile: caFile(other) });
    await expect(ask(client)).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' });
    caFile(clusterCa);
    await clock.advance(60_000);
    await expect(ask(client)).resolves.toMatchObject({ status: 200 });
  });
});
