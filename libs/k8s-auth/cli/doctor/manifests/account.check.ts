import { dirname } from 'node:path/posix';
import { POD_TOKEN_FILE } from '../../../src/api-server/in-cluster.js';
import { type ManifestSet } from './manifest-set.js';
import { manifestStep, type ManifestStep } from './manifest-step.js';
import { isMounted } from './mounts.js';
import { type Workload } from './workload.js';

/** Whether the ServiceAccount exists, and whether its token for the API server is mounted if, and only if, it is needed. */
export function checkAccount(workload: Workload, manifests: ManifestSet): ManifestStep[] {
  return [...checkExistence(workload, manifests), ...checkAutomount(workload, manifests)];
}

function checkExistence(
  { label, namespace, serviceAccount }: Workload,
  manifests: ManifestSet,
): ManifestStep[] {
  const step = manifestStep('manifest-service-account', label);
  // Kubernetes creates it in every namespace.
  if (serviceAccount === 'default') return [step.ok('The pod runs as the ServiceAccount default.')];
  if (manifests.find('ServiceAccount', namespace, serviceAccount))
    return [step.ok(`The pod runs as the ServiceAccount ${namespace}/${serviceAccount}.`)];
  const [elsewhere] = manifests.namespacesOf('ServiceAccount', serviceAccount);
  if (elsewhere !== undefined)
    return [
      manifestStep('manifest-namespace', label).failed(
        `The ServiceAccount ${serviceAccount} is in the namespace ${elsewhere}, but the pod runs in ${namespace}: create it in ${namespace}.`,
      ),
    ];
  return [
    step.warning(
      `The ServiceAccount ${namespace}/${serviceAccount} is not in these manifests: without it, Kubernetes creates no pods.`,
    ),
  ];
}

function checkAutomount(workload: Workload, manifests: ManifestSet): ManifestStep[] {
  const { label, namespace, serviceAccount, podSpec, environment, reading } = workload;
  const step = manifestStep('manifest-automount', label);
  const account = manifests.find('ServiceAccount', namespace, serviceAccount)?.fields ?? {};
  const ofPod = podSpec.automountServiceAccountToken;
  const isAutomounted = (ofPod ?? account.automountServiceAccountToken ?? true) !== false;
  const hasOther =
    environment.K8S_AUTH_API_SERVER_TOKEN_FILE !== undefined ||
    environment.KUBECONFIG !== undefined ||
    isMounted(workload, dirname(POD_TOKEN_FILE));
  const { verifier } = reading.options;
  const kind = verifier?.kind;
  const isOptional = verifier !== undefined && 'issuer' in verifier && verifier.issuer !== undefined;
  const isNeeded = kind === 'tokenreview' || kind === 'hybrid' || (kind === 'oidc-discovery' && !isOptional);
  if (isNeeded && !isAutomounted && !hasOther) {
    const place = ofPod === false ? 'the pod' : `the ServiceAccount ${serviceAccount}`;
    return [
      step.failed(
        `The verifier ${kind} calls the API server with the pod's own token, but automountServiceAccountToken of ${place} is false: set it to true in the pod.`,
      ),
    ];
  }
  if (!isNeeded && isAutomounted && kind !== 'oidc-discovery')
    return [
      step.warning(
        "The pod's token for the Kubernetes API is mounted, but nothing here uses it: set automountServiceAccountToken to false, unless other code calls the API.",
      ),
    ];
  return [
    step.ok(
      isAutomounted
        ? "The pod's own token is mounted, and used."
        : "The pod's own token is not mounted, and not needed.",
    ),
  ];
}
