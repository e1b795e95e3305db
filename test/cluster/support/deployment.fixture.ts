import { codeBlocks } from '../../docs/code-blocks.js';
import { type Cluster } from './cluster.fixture.js';
import { LogStream } from './log-stream.fixture.js';

export const NAMESPACE = 'mytest';

export type Overlay = 'tokenreview' | 'jwt-pubkey' | 'oidc-discovery' | 'hybrid' | 'production';

interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

export interface RunningPod {
  readonly name: string;
  /** The origin of a pod of service2, without its Service. */
  readonly origin: string;
  readonly restarts: number;
}

// A kubelet that could not reach the API server for a minute retries at growing intervals, so it learns of deletions
// later.
const DELETE_TIMEOUT = '--timeout=180s';

/** Both applications, deployed with the commands of k8s/README.md. */
export class Deployment {
  private readonly manifestsBeside: string[] = [];

  private constructor(
    readonly cluster: Cluster,
    readonly overlay: Overlay,
  ) {}

  /** Resolves when service2 is ready. */
  static async of(cluster: Cluster, overlay: Overlay): Promise<Deployment> {
    const deployment = new Deployment(cluster, overlay);
    await deployment.previousGone();
    try {
      await deployment.apply();
      if (overlay === 'jwt-pubkey') await deployment.publishKeys();
      await deployment.rolledOut('service2');
    } catch (error) {
      // The caller does not get the deployment, so it is removed here for the next scenario.
      await deployment.remove();
      throw error;
    }
    return deployment;
  }

  /**
   * Deploys both applications a second time, with another overlay: `service1-<overlay>` calls `service2-<overlay>`.
   * Resolves when `service2-<overlay>` is ready.
   */
  async beside(overlay: Overlay): Promise<void> {
    const rendered = await this.cluster.kubectl('kustomize', `k8s/overlays/${overlay}`);
    const manifests = rendered
      // The last is the annotation from which service1 knows what to call.
      .replace(/\b(?:name|serviceAccountName|target-service): service[12]$/gm, `$&-${overlay}`)
      // Roles and bindings belong to the whole cluster: under the same name they would replace those of the other one.
      .replace(/\bname: nest-k8s-auth-[\w-]+$/gm, `$&-${overlay}`);
    this.manifestsBeside.push(manifests);
    await this.cluster.kubectlWithInput(manifests, 'apply', '--filename', '-');
    if (overlay === 'jwt-pubkey') await this.publishKeys();
    await this.rolledOut(`service2-${overlay}`);
  }

  /** Waits until a namespace that is still being deleted is gone, because nothing can be created in it. */
  private async previousGone(): Promise<void> {
    const phase = ['get', 'namespace', NAMESPACE, '--ignore-not-found', '--output=jsonpath={.status.phase}'];
    if ((await this.cluster.kubectl(...phase)) !== 'Terminating') return;
    await this.cluster.kubectl('wait', '--for=delete', `namespace/${NAMESPACE}`, DELETE_TIMEOUT);
  }

  /** Can be repeated: this reverts manual changes to the state of the overlay. */
  async apply(): Promise<void> {
    await this.cluster.kubectl('apply', '--kustomize', `k8s/overlays/${this.overlay}`);
  }

  /** Runs the documented command, which copies the keys that the API server publishes now. */
  async publishKeys(): Promise<void> {
    const command = codeBlocks('k8s/README.md', 'sh').find((block) => block.includes('public-keys.mjs'));
    if (command === undefined) throw new Error('k8s/README.md has no command for the keys');
    await this.cluster.shell(command);
  }

  /** @throws {Error} with the last lines of its pods, when it is not ready in time */
  async rolledOut(name: string): Promise<void> {
    try {
      await this.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=90s');
    } catch (cause) {
      const log = await this.log(name, '--tail=20', '--prefix').catch(String);
      throw new Error(`${name} is not ready, its pods say:\n${log}`, { cause });
    }
  }

  /**
   * Restarts the pods of a deployment with these variables, which must have changed. Resolves when they are ready, and the
   * pods before them are gone: a terminating pod may still answer.
   */
  async set(name: string, variables: Record<string, string>): Promise<void> {
    const before = (await this.pods(name)).map((pod) => `pod/${pod.name}`);
    const assignments = Object.entries(variables).map(([variable, value]) => `${variable}=${value}`);
    await this.kubectl('set', 'env', `deployment/${name}`, ...assignments);
    await this.rolledOut(name);
    if (before.length > 0) await this.kubectl('wait', '--for=delete', ...before, DELETE_TIMEOUT);
  }

  /** A log line of the client about a successful call, from the pod that runs now. */
  async firstSuccess(name = 'service1'): Promise<string> {
    await this.rolledOut(name);
    return LogStream.lineOf(this.cluster, `deployment/${name}`, /status=200/);
  }

  async log(name: string, ...options: string[]): Promise<string> {
    const selector = `app.kubernetes.io/name=${name}`;
    // A pod whose container is being created has no log yet, and the other pods have one.
    return this.kubectl('logs', '--selector', selector, '--tail=-1', '--ignore-errors', ...options);
  }

  /** Its pods that are not terminating, once they have an address. */
  async pods(name: string): Promise<RunningPod[]> {
    const { items } = await this.cluster.get<{ items: readonly PodObject[] }>(
      'pods',
      '--namespace',
      NAMESPACE,
      '--selector',
      `app.kubernetes.io/name=${name}`,
    );
    return items
      .filter(
        ({ metadata, status }) => metadata.deletionTimestamp === undefined && status.podIP !== undefined,
      )
      .map(({ metadata, status }) => ({
        name: metadata.name,
        origin: `http://${status.podIP}:8080`,
        restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
      }));
  }

  kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl('--namespace', NAMESPACE, ...args);
  }

  /** Deletes everything, including the namespace, and waits until it is gone. */
  async remove(): Promise<void> {
    for (const manifests of this.manifestsBeside) {
      await this.cluster.kubectlWithInput(
        manifests,
        'delete',
        '--filename=-',
        '--ignore-not-found',
        DELETE_TIMEOUT,
      );
    }
    await this.cluster.kubectl(
      'delete',
      '--kustomize',
      `k8s/overlays/${this.overlay}`,
      '--ignore-not-found',
      DELETE_TIMEOUT,
    );
  }
}
