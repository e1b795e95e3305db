import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { POD_TOKEN_FILE } from '../../src/api-server/in-cluster.js';
import { formatPodKubeconfig } from '../../src/api-server/pod-kubeconfig.js';
import { type ServiceAccountName } from '../../src/identity/names.js';
import { type LocalCluster } from '../../testing/local-cluster/local-cluster.js';
import { fileOfPackage } from '../package-files.js';
import { type DevOptions, pathOf, type ServiceOptions } from './dev.options.js';
import { type PodFiles } from './pod-environment.js';
import { hostNamesOf, PUBLIC_KEY_FILE } from './pod-paths.js';
import { type PodVolumes } from './pod-volumes.js';

/** In the package itself and not in its build, because processes of the service load this file as it is. */
const PRELOADED = 'cli/dev/pod/pod-process.cjs';
const OWNER_ONLY = { mode: 0o600 };

export interface ServicePodsOptions {
  readonly cluster: LocalCluster;
  readonly options: Pick<DevOptions, 'services'>;
  readonly volumes: PodVolumes;
  /** A directory that only its owner can read. */
  readonly root: string;
  readonly publicKeyFile: () => string;
  /** Writes a token file that is renewed. @returns its path */
  readonly project: (account: ServiceAccountName, audience: string) => Promise<string>;
}

/** Writes the files that the pods of services have, and what shows them to a process at the paths of a pod. */
export class ServicePods {
  constructor(private readonly parts: ServicePodsOptions) {}

  async add(service: Pick<ServiceOptions, 'identity' | 'destinations' | 'tokenFiles'>): Promise<PodFiles> {
    const { cluster, volumes, root, publicKeyFile, project } = this.parts;
    const { identity, destinations, tokenFiles = [] } = service;
    const { url, issuer, caFile } = cluster;
    const [audience = issuer] = cluster.apiAudiences;
    const directory = mkdtempSync(join(root, 'pod-'));
    const own = await volumes.project({
      ...{ account: identity, audience, isLogged: false },
      directory: join(root, pathOf(identity), 'api-server'),
    });
    const write = (name: string, text: string) => {
      const file = join(directory, name);
      writeFileSync(file, text, OWNER_ONLY);
      return file;
    };
    const files = new Map([
      [POD_TOKEN_FILE, own],
      [besideToken('ca.crt'), caFile],
      [besideToken('namespace'), write('namespace', identity.namespace)],
      [PUBLIC_KEY_FILE, publicKeyFile()],
    ]);
    for (const { path, audience } of tokenFiles) files.set(path, await project(identity, audience));
    write(
      'pod.json',
      JSON.stringify({ files: Object.fromEntries(files), services: this.portsFor(identity) }),
    );
    const preloaded = join(directory, 'pod-process.cjs');
    copyFileSync(fileOfPackage(PRELOADED), preloaded);
    const podFile = { url, caFile, tokenFile: own, namespace: identity.namespace };
    const destinationFiles = destinations.map(async ({ origin, audience }) => ({
      origin,
      tokenFile: await project(identity, audience),
    }));
    return {
      ...{ url, issuer, preloaded, publicKeyFile: publicKeyFile() },
      kubeconfig: write('kubeconfig', formatPodKubeconfig(podFile)),
      destinations: await Promise.all(destinationFiles),
    };
  }

  /** The port on this machine, by the host name in the cluster. */
  private portsFor({ namespace }: ServiceAccountName): Readonly<Record<string, number>> {
    const apiServer = { namespace: 'default', name: 'kubernetes' };
    const services = [
      ...this.parts.options.services,
      { identity: apiServer, port: Number(new URL(this.parts.cluster.url).port) },
    ];
    return Object.fromEntries(
      services.flatMap(({ identity, port }) =>
        hostNamesOf(identity, namespace).map((host) => [host, port] as const),
      ),
    );
  }
}

function besideToken(name: string): string {
  return posix.join(posix.dirname(POD_TOKEN_FILE), name);
}
