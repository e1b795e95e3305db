import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, '../../scripts');

function cluster(provider: string, ...args: string[]) {
  const { status, stderr } = spawnSync('bash', [join(SCRIPTS, 'cluster.sh'), ...args], {
    env: { PATH: process.env.PATH, CLUSTER_PROVIDER: provider, CLUSTER_HARNESS: process.execPath },
    encoding: 'utf8',
  });
  return { status, stderr };
}

describe('scripts/cluster.sh', () => {
  const providers = readdirSync(join(SCRIPTS, 'cluster')).map((file) => file.replace('.sh', ''));

  it.each(providers)('builds and loads images and brings up clusters with %s', (provider) => {
    for (const verb of ['build', 'load', 'up', 'down', 'kubeconfig', 'stop-api-server', 'start-api-server']) {
      expect({ verb, ...cluster(provider, 'can', verb) }).toEqual({ verb, status: 0, stderr: '' });
    }
  });

  it('tells what a provider lacks', () => {
    expect(cluster('harness', 'can', 'rotate-signing-key').status).toBe(0);
    expect(cluster('kind', 'can', 'rotate-signing-key').status).toBe(1);
    expect(cluster('harness', 'can', 'up', '--signing-key').status).toBe(0);
    expect(cluster('kind', 'can', 'up', '--signing-key').status).toBe(1);
  });

  it.each(['rotate-signing-key', 'on_node', 'build_with_docker', ''])(
    'refuses what is no verb: "%s"',
    (verb) => {
      expect(cluster('minikube', verb)).toEqual({
        status: 2,
        stderr: `cluster: minikube has no '${verb}'\n`,
      });
    },
  );

  it('refuses a provider that is none, and names those there are', () => {
    expect(cluster('k3s', 'up')).toEqual({
      status: 2,
      stderr: `cluster: no provider 'k3s': there is ${providers.join(' ')}\n`,
    });
    expect(cluster('../images', 'up').status).toBe(2);
  });
});
