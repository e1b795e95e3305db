import { readFile } from 'node:fs/promises';
import { parseUrl } from '../util/syntax.js';

/** What a pod has: the address of the API server, its CA, and a token file. */
export interface PodKubeconfig {
  readonly url: string;
  readonly caFile: string;
  /** Read again by clients, so that a rotation of the token has an effect. */
  readonly tokenFile: string;
  readonly namespace: string;
}

/** A kubeconfig (client.config v1) of a pod's own credential. JSON, which every YAML parser accepts. @internal */
export function formatPodKubeconfig({ url, caFile, tokenFile, namespace }: PodKubeconfig): string {
  const name = 'pod';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name, user: { tokenFile } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/**
 * Reads a kubeconfig that {@link formatPodKubeconfig} has written, so that a service that `npx nest-k8s-auth dev` starts
 * needs no `@kubernetes/client-node` (54 MB).
 * @returns `undefined` for any other content, down to the last character, and for a file that cannot be read
 * @internal
 */
export async function readPodKubeconfig(file: string): Promise<PodKubeconfig | undefined> {
  try {
    const text = await readFile(file, 'utf8');
    const {
      clusters: [{ cluster }],
      users: [{ user }],
      contexts: [{ context }],
    } = JSON.parse(text) as {
      clusters: [{ cluster: { server: string; 'certificate-authority': string } }];
      users: [{ user: { tokenFile: string } }];
      contexts: [{ context: { namespace: string } }];
    };
    const found: PodKubeconfig = {
      url: cluster.server,
      caFile: cluster['certificate-authority'],
      tokenFile: user.tokenFile,
      namespace: context.namespace,
    };
    const isOurs = formatPodKubeconfig(found) === text && parseUrl(found.url)?.protocol === 'https:';
    return isOurs && Object.values(found).every((value) => typeof value === 'string') ? found : undefined;
  } catch {
    return undefined;
  }
}
