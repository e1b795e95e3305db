import { type Fields, objectAt, objectsAt, textAt, textsAt } from './fields.js';
import { type ManifestObject, type ManifestSet } from './manifest-set.js';
import { manifestStep, type ManifestStep } from './manifest-step.js';
import { type Workload } from './workload.js';

/** The ClusterRoles of every cluster that contain the right. */
const BUILT_IN: readonly string[] = ['system:auth-delegator', 'cluster-admin'];

/** Whether the ServiceAccount of a workload with `tokenreview` or `hybrid` may create TokenReviews. */
export function checkRights(workload: Workload, manifests: ManifestSet): ManifestStep[] {
  const kind = workload.reading.options.verifier?.kind;
  // Every ServiceAccount may read the keys, which is all that oidc-discovery needs.
  if (kind !== 'tokenreview' && kind !== 'hybrid') return [];
  const step = manifestStep('manifest-role', workload.label);
  const account = `${workload.namespace}/${workload.serviceAccount}`;
  const bindings = manifests.ofKind('ClusterRoleBinding');
  const own = bindings.filter((binding) => bindsTo(binding, workload));
  const granting = own.find((binding) => isGranting(roleOf(binding), manifests));
  if (granting)
    return [step.ok(`The ClusterRoleBinding ${granting.name} lets ${account} create tokenreviews.`)];
  const misplaced = bindings.find(
    (binding) => isGranting(roleOf(binding), manifests) && otherNamespaceOf(binding, workload),
  );
  if (misplaced)
    return [
      manifestStep('manifest-namespace', workload.label).failed(
        `The ClusterRoleBinding ${misplaced.name} names the ServiceAccount ${workload.serviceAccount} of the namespace ${otherNamespaceOf(misplaced, workload) ?? ''}, but the pod runs in ${workload.namespace}: correct the namespace of its subject.`,
      ),
    ];
  return [step.failed(mistakeOf(own, account, workload, manifests))];
}

function mistakeOf(
  own: readonly ManifestObject[],
  account: string,
  workload: Workload,
  manifests: ManifestSet,
): string {
  const missing = own.find(
    (binding) => !BUILT_IN.includes(roleOf(binding)) && !findRole(roleOf(binding), manifests),
  );
  if (missing && !roleOf(missing).startsWith('system:'))
    return `The ClusterRoleBinding ${missing.name} names the ClusterRole ${roleOf(missing)}, which these manifests do not contain: add it, or name system:auth-delegator.`;
  const local = manifests
    .ofKind('RoleBinding')
    .find((binding) => bindsTo(binding, workload) && isGranting(roleOf(binding), manifests));
  if (local)
    return `The RoleBinding ${local.name} cannot grant the right to create tokenreviews, which is not in a namespace: use a ClusterRoleBinding.`;
  return `The verifier ${workload.reading.options.verifier?.kind ?? ''} needs the right to create tokenreviews: add a ClusterRoleBinding of system:auth-delegator to the ServiceAccount ${account}.`;
}

function roleOf({ fields }: ManifestObject): string {
  return textAt(fields, 'roleRef', 'kind') === 'ClusterRole' ? (textAt(fields, 'roleRef', 'name') ?? '') : '';
}

function findRole(name: string, manifests: ManifestSet): ManifestObject | undefined {
  return manifests.ofKind('ClusterRole').find((role) => role.name === name);
}

function isGranting(role: string, manifests: ManifestSet): boolean {
  if (BUILT_IN.includes(role)) return true;
  const rules = objectsAt(findRole(role, manifests)?.fields ?? {}, 'rules');
  return rules.some(
    (rule) =>
      includes(rule, 'apiGroups', 'authentication.k8s.io') &&
      includes(rule, 'resources', 'tokenreviews') &&
      includes(rule, 'verbs', 'create'),
  );
}

function includes(rule: Fields, field: string, value: string): boolean {
  const values = textsAt(rule, field);
  return values.includes(value) || values.includes('*');
}

function bindsTo(
  { fields, namespace: ofBinding }: ManifestObject,
  { namespace, serviceAccount }: Workload,
): boolean {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return objectsAt(fields, 'subjects').some((subject) => {
    const name = textAt(subject, 'name') ?? '';
    if (textAt(subject, 'kind') === 'Group') return groups.includes(name);
    const ofSubject = textAt(subject, 'namespace') ?? ofBinding;
    return textAt(subject, 'kind') === 'ServiceAccount' && name === serviceAccount && ofSubject === namespace;
  });
}

/** The namespace of a subject that has the name of the ServiceAccount, but is in another namespace. */
function otherNamespaceOf(
  { fields }: ManifestObject,
  { namespace, serviceAccount }: Workload,
): string | undefined {
  const subject = objectsAt(fields, 'subjects').find(
    (one) => textAt(one, 'name') === serviceAccount && textAt(one, 'namespace') !== namespace,
  );
  return subject && textAt(objectAt(subject), 'namespace');
}
