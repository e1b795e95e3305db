import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { OVERLAYS, readSource, render, ROOT } from './rendered.fixture.js';

// Not KUBECONFIG: running all tests must not use the cluster of the user's shell.
const kubeconfig = process.env.MANIFESTS_KUBECONFIG;
if (kubeconfig === undefined) {
  process.stderr.write('the manifests are not checked by an API server: MANIFESTS_KUBECONFIG is not set\n');
}

function shell(command: string, input?: string) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: ROOT,
    env: { ...process.env, KUBECONFIG: kubeconfig },
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

// Nothing is created, so that the namespace may be missing: `default` is everywhere.
const inDefault = (text: string) => text.replaceAll(/namespace(:?) mytest/g, 'namespace$1 default');

/** The command that creates the ConfigMap with the cluster's keys. */
function keysCommand(): string {
  const [command = ''] = /^kubectl get --raw .*$/m.exec(readSource('k8s/README.md')) ?? [];
  return inDefault(command);
}

(kubeconfig === undefined ? describe.skip : describe)('an API server', () => {
  it.each(OVERLAYS)('accepts every manifest of %s unchanged, without a warning', (overlay) => {
    const apply = 'kubectl apply --dry-run=server --validate=strict --filename -';
    const { status, stderr } = shell(apply, inDefault(render(overlay)));
    // Objects that were not created with `kubectl apply`, such as the namespace, may lack kubectl's annotation.
    const warnings = stderr.split('\n').filter((line) => line !== '' && !line.includes('last-applied'));
    expect({ status, warnings }).toEqual({ status: 0, warnings: [] });
  });

  it('accepts the keys that the command in k8s/README.md creates', () => {
    const { status, stdout } = shell(
      `${keysCommand()} --dry-run=server --output jsonpath='{.data.sa\\.pub}'`,
    );
    expect(status).toBe(0);
    expect(createPublicKey(stdout).type).toBe('public');
  });
});
