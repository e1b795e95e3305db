import { randomBytes } from 'node:crypto';
import { type MountedFiles } from '../atomic-directory.js';
import { mountFiles } from '../mount-files.js';
import { ProjectedVolume } from '../projected-volume.js';
import { type ClusterFiles } from './cluster-files.js';
import { type ClusterParts } from './endpoint.js';
import { type InClusterMountOptions, type ProjectVolumeOptions } from './local-cluster.options.js';
import { assertLifetime } from './token-lifetime.js';

// The lifetime that the admission plugin requests when it mounts a pod's API token (pkg/serviceaccount
// WarnOnlyBoundTokenExpiration).
const AUTOMOUNT_SECONDS = 3607;
const DEFAULT_SECONDS = 3600;

/** The kubelet's part: directories in place of those that a pod has under /var/run/secrets. */
export class ClusterMounts {
  private readonly volumes = new Set<ProjectedVolume>();
  private readonly directories = new Map<string, MountedFiles>();

  constructor(
    private readonly parts: ClusterParts,
    private readonly files: ClusterFiles,
    private readonly ca: string,
    private readonly isReachable: () => boolean,
  ) {}

  projectVolume(options: ProjectVolumeOptions): ProjectedVolume {
    const { namespace, serviceAccount, audience, expirationSeconds = DEFAULT_SECONDS, directory } = options;
    const { clock, tokens, minimumTokenLifetimeMs } = this.parts;
    assertLifetime(expirationSeconds, minimumTokenLifetimeMs);
    const pod = options.pod ?? this.runPod(namespace, serviceAccount);
    const volume = new ProjectedVolume({
      ...options,
      directory: directory ?? this.files.unusedPath('volume'),
      expirationSeconds,
      clock,
      issue: () => {
        if (!this.isReachable()) throw new Error('API server is unreachable');
        return tokens.issueBound({
          namespace,
          serviceAccount,
          audiences: [audience],
          expirationSeconds,
          pod,
        });
      },
    });
    this.volumes.add(volume);
    return volume;
  }

  /** If the directory was written before, a new token replaces the old one, as the kubelet does it. */
  writeInCluster({ namespace, serviceAccount, pod, directory }: InClusterMountOptions): string {
    const { clock, tokens, apiAudiences } = this.parts;
    const path = directory ?? this.files.unusedPath('in-cluster');
    const mount = this.directories.get(path) ?? mountFiles(path);
    this.directories.set(path, mount);
    const token = tokens.issueBound({
      namespace,
      serviceAccount,
      audiences: apiAudiences,
      expirationSeconds: AUTOMOUNT_SECONDS,
      pod: pod ?? this.runPod(namespace, serviceAccount),
    });
    mount.write({ token, 'ca.crt': this.ca, namespace }, clock.wallMs());
    return path;
  }

  close(): void {
    for (const volume of this.volumes) volume.close();
    for (const mount of this.directories.values()) mount.remove();
    this.directories.clear();
  }

  private runPod(namespace: string, serviceAccount: string): string {
    const name = `${serviceAccount}-${randomBytes(4).toString('hex')}`;
    this.parts.state.runPod({ namespace, name, serviceAccount });
    return name;
  }
}
