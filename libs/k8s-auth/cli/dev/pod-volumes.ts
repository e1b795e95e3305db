import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ServiceAccountName } from '../../src/identity/names.js';
import { describeError } from '../../src/util/log.js';
import { type LocalCluster } from '../../testing/local-cluster/local-cluster.js';
import { type ProjectedVolume } from '../../testing/projected-volume.js';
import { pathOf } from './dev.options.js';

export interface PodVolumesOptions {
  readonly cluster: LocalCluster;
  readonly tokenSeconds: number;
  readonly log: (line: string) => void;
}

export interface VolumeRequest {
  readonly account: ServiceAccountName;
  readonly audience: string;
  readonly directory: string;
  readonly isLogged: boolean;
}

/** The token files of ServiceAccounts. Each ServiceAccount has one pod, and its tokens are bound to this pod. */
export class PodVolumes {
  /** By the directory. A service that is also a caller has some volumes in common with it. */
  private readonly volumes = new Map<string, { request: VolumeRequest; volume: ProjectedVolume }>();
  /** Name of the pod by path of the ServiceAccount. */
  private readonly pods = new Map<string, string>();
  private isRotatingAll = false;

  constructor(private readonly options: PodVolumesOptions) {}

  /** Writes a token file that is renewed as the kubelet does it. @returns its path */
  async project(request: VolumeRequest): Promise<string> {
    const known = this.volumes.get(request.directory);
    if (known) return known.volume.tokenFile;
    mkdirSync(dirname(request.directory), { recursive: true });
    const { account, audience, directory } = request;
    const volume = await this.options.cluster.projectVolume({
      ...{ namespace: account.namespace, serviceAccount: account.name, pod: await this.podOf(account) },
      ...{ path: 'token', audience, directory, expirationSeconds: this.options.tokenSeconds },
      onRotate: () => {
        const isShown = request.isLogged && !this.isRotatingAll;
        if (isShown) this.options.log(`token of ${pathOf(account)} for ${audience} rotated`);
      },
    });
    this.volumes.set(directory, { request, volume });
    return volume.tokenFile;
  }

  /** The token in this directory. */
  read(directory: string): string {
    const { volume } = this.volumes.get(directory) ?? {};
    if (!volume) throw new Error(`no token is projected into ${directory}`);
    return readFileSync(volume.tokenFile, 'utf8');
  }

  /** @returns the name of the pod of this ServiceAccount, which is created on first use */
  async podOf(account: ServiceAccountName): Promise<string> {
    const { namespace, name: serviceAccount } = account;
    const known = this.pods.get(pathOf(account));
    if (known !== undefined) return known;
    const name = `${serviceAccount}-${randomBytes(4).toString('hex')}`;
    this.pods.set(pathOf(account), name);
    await this.options.cluster.createPod(namespace, name, { serviceAccount });
    return name;
  }

  /** Deletes the pod of this ServiceAccount. Its token files stay, as in a process that did not notice. */
  async deletePod(account: ServiceAccountName): Promise<string> {
    const name = await this.podOf(account);
    await this.options.cluster.deletePod(account.namespace, name);
    return name;
  }

  /** Replaces the pod of this ServiceAccount: all its token files get tokens that are bound to a new pod. */
  async replacePod(
    account: ServiceAccountName,
    change: (request: VolumeRequest) => VolumeRequest = (request) => request,
  ): Promise<string> {
    this.pods.delete(pathOf(account));
    const name = await this.podOf(account);
    const own = [...this.volumes].filter(([, { request }]) => pathOf(request.account) === pathOf(account));
    for (const [directory, { request, volume }] of own) {
      volume.close();
      this.volumes.delete(directory);
      await this.project(change(request));
    }
    return name;
  }

  /** Replaces every token now. @returns why a token could not be replaced */
  renewAll(): string | undefined {
    this.isRotatingAll = true;
    let reason: string | undefined;
    for (const { volume } of this.volumes.values()) {
      try {
        volume.rotate();
      } catch (error) {
        reason ??= describeError(error);
      }
    }
    this.isRotatingAll = false;
    return reason;
  }
}
