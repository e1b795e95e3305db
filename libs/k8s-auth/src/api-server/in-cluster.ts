import { access } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

// Fixed by the ServiceAccount admission plugin, which adds this mount to every pod.
const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where a pod finds the token for the API server, when it has one. @internal */
export const POD_TOKEN_FILE = `${MOUNT}/token`;

/** The files of the pod's own service account, as far as they are there. */
export interface PodMount {
  readonly tokenFile?: string;
  readonly caFile?: string;
}

/** @param root what the fixed path of the mount is taken to lie under @internal */
export async function findPodMount(root: string): Promise<PodMount> {
  const [tokenFile, caFile] = await Promise.all(
    ['token', 'ca.crt'].map((name) => existing(join(root, MOUNT, name))),
  );
  return { ...(tokenFile !== undefined && { tokenFile }), ...(caFile !== undefined && { caFile }) };
}

/** The address that the kubelet gives every container; always TLS. @internal */
export function podApiServerUrl(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) return undefined;
  const url = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return URL.canParse(url) ? url : undefined;
}

/** @internal */
export async function existing(file: string): Promise<string | undefined> {
  try {
    await access(file);
    return file;
  } catch {
    return undefined;
  }
}
