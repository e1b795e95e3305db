import { type ServiceAccountName } from '../../src/identity/names.js';
import { type PodContents } from './pod-hints.js';
import { pathOf, type ServiceOptions, type TokenFileOption } from './dev.options.js';

/** Where README.md and the manifests mount the tokens for other services. */
const TOKENS = '/var/run/secrets/tokens';

/** Where the manifests mount the public keys of the cluster. */
export const PUBLIC_KEY_FILE = '/etc/sa-keys/sa.pub';

/**
 * The token files of a service: one for each destination and for each other service that receives calls, at the path of
 * README.md, and those that are named by an option.
 */
export function tokenFilesOf(
  service: Pick<ServiceOptions, 'identity' | 'destinations' | 'tokenFiles'>,
  services: readonly ServiceOptions[],
): readonly TokenFileOption[] {
  const others = services.filter(
    ({ identity, verifier }) => verifier !== undefined && pathOf(identity) !== pathOf(service.identity),
  );
  const audiences = new Set([...others, ...service.destinations].map(({ audience }) => audience));
  return [
    // The name of a file in a projected volume.
    ...[...audiences]
      .filter((audience) => /^[\w.-]+$/.test(audience))
      .map((audience) => ({ path: `${TOKENS}/${audience}`, audience })),
    ...(service.tokenFiles ?? []),
  ];
}

/** What the code of this service finds at the paths and under the names of a cluster. */
export function podContents(service: ServiceOptions, services: readonly ServiceOptions[]): PodContents {
  return {
    tokenFiles: tokenFilesOf(service, services).map(({ path }) => path),
    hostNames: services.flatMap(({ identity }) => hostNamesOf(identity, service.identity.namespace)),
  };
}

/**
 * The host names of a Service in the cluster (Kubernetes, DNS for Services and Pods).
 * @param service its name is that of the ServiceAccount
 * @param namespace of the pod that uses the names: in its own namespace, the short name is enough
 */
export function hostNamesOf({ namespace, name }: ServiceAccountName, ofPod: string): readonly string[] {
  // A ServiceAccount may have dots in its name, and a Service may not.
  if (name.includes('.')) return [];
  const inNamespace = `${name}.${namespace}`;
  return [
    ...(namespace === ofPod || (namespace === 'default' && name === 'kubernetes') ? [name] : []),
    ...[inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.cluster.local`],
  ];
}
