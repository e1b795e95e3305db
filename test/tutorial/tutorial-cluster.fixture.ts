import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMESPACE = 'mytest';

/** The cluster of KUBECONFIG, reached through a copy, so that no page can change a reader's own file. */
export class TutorialCluster {
  readonly environment: NodeJS.ProcessEnv;
  private readonly folder = mkdtempSync(join(tmpdir(), 'tutorial-cluster-'));
  private readonly before: readonly string[];

  /** @throws {Error} the cluster does not answer, or has the tutorial's namespace already */
  constructor() {
    const kubeconfig = join(this.folder, 'kubeconfig');
    writeFileSync(kubeconfig, kubectl(process.env, 'config', 'view', '--raw', '--flatten'), { mode: 0o600 });
    this.environment = { ...process.env, KUBECONFIG: kubeconfig };
    this.before = this.list();
    if (this.before.includes(`namespace/${NAMESPACE}`)) {
      throw new Error(`namespace ${NAMESPACE} already exists, and the tutorial would delete it`);
    }
  }

  /** Objects that the page has left behind and that did not exist before. */
  leftovers(): string[] {
    return this.list().filter((name) => !this.before.includes(name));
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** All cluster-scoped objects of the kinds that the tutorial uses. */
  private list(): string[] {
    const kinds = 'namespaces,clusterroles,clusterrolebindings';
    return kubectl(this.environment, 'get', kinds, '--output=name').trim().split('\n');
  }
}

function kubectl(env: NodeJS.ProcessEnv, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('kubectl', args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}
