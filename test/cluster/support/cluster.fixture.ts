import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

export const ROOT = join(import.meta.dirname, '../../..');

const execute = promisify(execFile);

/** A real cluster: kubectl commands, and the functions of its provider (`scripts/cluster.sh`). */
export class Cluster {
  private constructor(
    readonly kubeconfig: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** The cluster that `KUBECONFIG` and `CLUSTER_NAME` name. */
  static given(): Cluster {
    const { KUBECONFIG } = process.env;
    if (!KUBECONFIG) throw new Error('KUBECONFIG names no cluster');
    return new Cluster(KUBECONFIG, process.env);
  }

  /**
   * Creates a separate cluster with the same provider; delete it with `down`.
   * @param purpose the suffix of its name, after the name of the given cluster, so that parallel runs do not conflict
   */
  static async up(purpose: string, ...options: string[]): Promise<Cluster> {
    const { CLUSTER_NAME: given = 'test' } = process.env;
    const environment = { ...process.env, CLUSTER_NAME: `${given}-${purpose}` };
    await execute(PROVIDER, ['up', ...options], { env: environment });
    const { stdout } = await execute(PROVIDER, ['kubeconfig'], { env: environment });
    const kubeconfig = stdout.trim();
    return new Cluster(kubeconfig, { ...environment, KUBECONFIG: kubeconfig });
  }

  /** Loads both built images onto its nodes. The given cluster already has them. */
  async loadImages(): Promise<void> {
    await execute('bash', ['scripts/images.sh'], {
      cwd: ROOT,
      env: { ...this.environment, CLUSTER_IMAGES: 'built' },
    });
  }

  async down(): Promise<void> {
    await this.provider('down');
  }

  /** @throws {Error} with what the provider wrote, when it fails */
  async provider(verb: string, ...options: string[]): Promise<string> {
    const { stdout } = await execute(PROVIDER, [verb, ...options], { env: this.environment });
    return stdout.trim();
  }

  /** @returns the standard output of kubectl. @throws {Error} with its standard error, when it fails */
  async kubectl(...args: string[]): Promise<string> {
    const { stdout } = await execute('kubectl', args, {
      cwd: ROOT,
      env: this.environment,
      maxBuffer: 256 * 2 ** 20,
    });
    return stdout;
  }

  async kubectlWithInput(input: string, ...args: string[]): Promise<string> {
    const child = this.spawnKubectl(...args);
    child.stdin.end(input);
    const [stdout, stderr, exit] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (exit[0] !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Starts a kubectl command that keeps running, such as `logs --follow`. */
  spawnKubectl(...args: string[]): ChildProcessWithoutNullStreams {
    return spawn('kubectl', args, { cwd: ROOT, env: this.environment });
  }

  async apply(...manifests: object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: manifests };
    await this.kubectlWithInput(JSON.stringify(list), 'apply', '--filename', '-');
  }

  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', '--output', 'json', ...args)) as T;
  }

  /** The API server's metadata about its tokens and keys (OpenID Connect Discovery). */
  async metadata(): Promise<{ readonly issuer: string; readonly jwks_uri: string }> {
    return JSON.parse(await this.kubectl('get', '--raw', '/.well-known/openid-configuration')) as {
      issuer: string;
      jwks_uri: string;
    };
  }

  /** Runs a command of the documentation in a shell, in the root folder of the repository. */
  async shell(command: string): Promise<string> {
    const { stdout } = await execute('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: ROOT,
      env: this.environment,
    });
    return stdout;
  }
}

const PROVIDER = join(ROOT, 'scripts/cluster.sh');

/** Whether the provider of this run has a verb, and an option of it: decides what is skipped. */
export async function providerCan(verb: string, option?: string): Promise<boolean> {
  try {
    await execute(PROVIDER, option === undefined ? ['can', verb] : ['can', verb, option]);
    return true;
  } catch {
    return false;
  }
}

/** Whether scenarios that wait for minutes run too. */
export const isLong = process.env.CLUSTER_SCENARIOS === 'long';
