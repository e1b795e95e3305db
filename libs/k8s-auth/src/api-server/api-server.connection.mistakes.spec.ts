import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../testing/fake-clock.js';
import { findApiServer } from './api-server.connection.js';
import { type ApiServerOptions } from './api-server.options.js';
import { CapturedLog } from './own-cluster.fixture.js';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mistakes-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

const find = (options: ApiServerOptions) =>
  findApiServer(options, {
    clock: new FakeClock(),
    log: new CapturedLog(),
    environment: {},
    podRoot: directory,
  });

it('findApiServer reports the mistakes of server, credential and CA in one error', async () => {
  const kubeconfigFile = join(directory, 'impersonating.kubeconfig');
  const document = {
    clusters: [
      {
        name: 'c',
        cluster: {
          server: 'http://api.example',
          'insecure-skip-tls-verify': true,
          'proxy-url': 'http://proxy.example',
          'certificate-authority': '/missing/ca.crt',
        },
      },
    ],
    users: [{ name: 'u', user: { token: 't', as: 'somebody' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(kubeconfigFile, JSON.stringify(document));
  await expect(find({ kubeconfigFile })).rejects.toMatchObject({
    mistakes: [
      "option 'apiServer.kubeconfigFile': expected a server with an https URL",
      "option 'apiServer.kubeconfigFile': expected a cluster without insecure-skip-tls-verify",
      "option 'apiServer.kubeconfigFile': expected a cluster without proxy-url",
      "option 'apiServer.kubeconfigFile': expected a user without impersonation",
      "option 'apiServer.kubeconfigFile': certificate-authority: expected PEM in /missing/ca.crt, which cannot be read",
    ],
  });
});

it('findApiServer reports a missing token file and an unreadable CA in one error', async () => {
  await expect(find({ url: 'https://api.example', caFile: '/missing/ca.crt' })).rejects.toMatchObject({
    mistakes: [
      expect.stringContaining("'apiServer.tokenFile': is required together with 'apiServer.url'"),
      expect.stringContaining("'apiServer.caFile': expected PEM in /missing/ca.crt"),
    ],
  });
});
