import { access, readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { parseUrl } from '../util/syntax.js';

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
  return parseUrl(url) && url;
}

// Of the Service that every cluster has for its API server, as pods shorten and lengthen it.
const SERVICE_NAMES: readonly string[] = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
const USUAL_CLUSTER_DOMAIN = 'cluster.local';

/**
 * Whether a URL is that of the API server which the pod's mount is for: by its origin, at the address that the kubelet
 * gives or at its Service's name.
 * @param root what `/etc/resolv.conf` is taken to lie under
 * @internal
 */
export async function isApiServerOfPod(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
): Promise<boolean> {
  const { origin, hostname, port } = new URL(url);
  const podUrl = podApiServerUrl(environment);
  if (podUrl !== undefined && new URL(podUrl).origin === origin) return true;
  if (port !== '') return false;
  if (SERVICE_NAMES.includes(hostname)) return true;
  const domains = [USUAL_CLUSTER_DOMAIN, ...(await findClusterDomains(root))];
  return domains.some((domain) => hostname === `kubernetes.default.svc.${domain}`);
}

/** The kubelet writes `svc.<cluster domain>` among the domains to search (dnsPolicy ClusterFirst). */
async function findClusterDomains(root: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'etc/resolv.conf'), 'utf8').catch(() => '');
  return [...text.matchAll(/(?<=^search\b.*\s)svc\.(\S+)/gm)].flatMap(([, domain]) => domain ?? []);
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
