import { access, readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { parseUrl } from '../util/syntax.js';

// Fixed by the ServiceAccount admission plugin, which adds this mount to every pod.
const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The path of a pod's token for the API server, if it has one. @internal */
export const POD_TOKEN_FILE = `${MOUNT}/token`;

/** The files of the pod's own ServiceAccount that exist. */
export interface PodMount {
  readonly tokenFile?: string;
  readonly caFile?: string;
}

/** @param root directory that contains the fixed path of the mount, usually `/` @internal */
export async function findPodMount(root: string): Promise<PodMount> {
  const [tokenFile, caFile] = await Promise.all(
    ['token', 'ca.crt'].map((name) => pathIfExists(join(root, MOUNT, name))),
  );
  return { ...(tokenFile !== undefined && { tokenFile }), ...(caFile !== undefined && { caFile }) };
}

/** The API server's address from the variables that the kubelet sets in every container; always TLS. @internal */
export function podApiServerUrl(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) return undefined;
  const url = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return parseUrl(url) && url;
}

// The short and long names of the Service that every cluster has for its API server.
const SERVICE_NAMES: readonly string[] = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
const USUAL_CLUSTER_DOMAIN = 'cluster.local';

/**
 * Whether a URL points to the API server of the pod's cluster. This is true for the address that the kubelet sets, and
 * for the name of the API server's Service. Only the origin is compared.
 * @param root directory that contains `etc/resolv.conf`, usually `/`
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

/** The kubelet writes `svc.<cluster domain>` into the search domains (dnsPolicy ClusterFirst). */
async function findClusterDomains(root: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'etc/resolv.conf'), 'utf8').catch(() => '');
  return [...text.matchAll(/(?<=^search\b.*\s)svc\.(\S+)/gm)].flatMap(([, domain]) => domain ?? []);
}

/** Returns the path if the file exists. @internal */
export async function pathIfExists(file: string): Promise<string | undefined> {
  try {
    await access(file);
    return file;
  } catch {
    return undefined;
  }
}
