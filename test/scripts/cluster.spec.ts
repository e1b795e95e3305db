import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, '../../scripts');

/** A program that exists. */
let harness = process.execPath;

function cluster(provider: string, ...args: string[]) {
  const { status, stderr } = spawnSync('bash', [join(SCRIPTS, 'cluster.sh'), ...args], {
    env: { PATH: process.env.PATH, CLUSTER_PROVIDER: provider, CLUSTER_HARNESS: harness },
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

  it('`can` reports the verbs and options that a provider does not support', () => {
    expect(cluster('harness', 'can', 'rotate-signing-key').status).toBe(0);
    expect(cluster('kind', 'can', 'rotate-signing-key').status).toBe(1);
    expect(cluster('harness', 'can', 'up', '--signing-key').status).toBe(0);
    expect(cluster('harness', 'can', 'up', '--audit-log').status).toBe(0);
    expect(cluster('kind', 'can', 'up', '--signing-key').status).toBe(1);
  });

  it.each(['rotate-signing-key', 'on_node', 'build_with_docker', ''])(
    'rejects "%s", which is not a verb',
    (verb) => {
      expect(cluster('minikube', verb)).toEqual({
        status: 2,
        stderr: `cluster: minikube has no '${verb}'\n`,
      });
    },
  );

  it('rejects an unknown provider, and names the existing ones', () => {
    expect(cluster('k3s', 'up')).toEqual({
      status: 2,
      stderr: `cluster: no provider 'k3s', expected one of ${providers.join(' ')}\n`,
    });
    expect(cluster('../images', 'up').status).toBe(2);
  });
});

describe('the provider harness', () => {
  afterEach(() => {
    harness = process.execPath;
  });

  it.each([
    ['', 'cluster: CLUSTER_HARNESS is not set\n'],
    ['/nowhere', 'cluster: CLUSTER_HARNESS names no executable program: /nowhere\n'],
  ])('reports an error when CLUSTER_HARNESS is "%s"', (program, stderr) => {
    harness = program;
    expect(cluster('harness', 'can', 'up')).toEqual({ status: 2, stderr });
  });
});

describe('an image of the harness', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cluster-sh-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['with a digest', `node:24.1.0-slim@sha256:${'a'.repeat(64)}`],
    ['without one', 'node:24.1.0-slim'],
  ])('builds on its own base image, with the name that the Dockerfile gives %s', (_, base) => {
    const harness = join(folder, 'harness');
    writeFileSync(harness, '#!/bin/sh\necho "$@" >&2\n', { mode: 0o755 });
    writeFileSync(join(folder, 'Dockerfile'), `# Base\nARG NODE_IMAGE=${base}\n\nFROM \${NODE_IMAGE}\n`);
    const { stderr } = spawnSync('bash', [join(SCRIPTS, 'cluster.sh'), 'build', 'app:dev', folder, 'app'], {
      env: { PATH: process.env.PATH, CLUSTER_PROVIDER: 'harness', CLUSTER_HARNESS: harness },
      encoding: 'utf8',
    });
    expect(stderr.trim().split('\n')).toEqual([
      'base-image node:24.1.0-slim',
      `build-image app:dev ${folder} -- --build-arg NODE_IMAGE=node:24.1.0-slim --target app`,
    ]);
  });
});

describe("a provider's kubeconfig", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cluster-sh-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** The path where `cluster.sh kubeconfig` has written the output of `program`. */
  function kubeconfig(provider: string, program: string, KUBECONFIG = '') {
    const bin = join(home, 'bin');
    mkdirSync(bin, { recursive: true });
    const printed = '[ -n "$KUBECONFIG" ] && cat "$KUBECONFIG" || echo kubeconfig';
    writeFileSync(join(bin, program), `#!/bin/sh\n${printed}\n`, { mode: 0o755 });
    const { stdout } = spawnSync(
      'bash',
      ['-c', 'umask 022; exec bash "$0" kubeconfig', join(SCRIPTS, 'cluster.sh')],
      {
        env: { PATH: `${bin}:${process.env.PATH}`, HOME: home, CLUSTER_PROVIDER: provider, KUBECONFIG },
        encoding: 'utf8',
      },
    );
    return stdout.trim();
  }

  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

  const programs = [
    ['kind', 'kind'],
    ['minikube', 'kubectl'],
  ] as const;

  it.each(programs)('cannot be read by other users with %s', (provider, program) => {
    const file = kubeconfig(provider, program);
    expect(file.startsWith(home)).toBe(true);
    expect([modeOf(file), modeOf(dirname(file))]).toEqual(['600', '700']);
  });

  it.each(programs)('is not truncated when it is the one in use with %s', (provider, program) => {
    const file = kubeconfig(provider, program);
    expect(kubeconfig(provider, program, file)).toBe(file);
    expect(readFileSync(file, 'utf8')).toBe('kubeconfig\n');
  });
});
