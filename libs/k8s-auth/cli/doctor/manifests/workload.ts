import { optionsFromEnvironment, type EnvironmentReading } from '../../../src/config/environment.js';
import { type ExportedRoutes } from '../../routes/exported-routes.js';
import { type Fields, objectAt, objectsAt, textAt } from './fields.js';
import { type ManifestObject, type ManifestSet } from './manifest-set.js';

/** A container that is configured with variables K8S_AUTH_... or by its application, and its pod. */
export interface Workload {
  /** `Deployment shop/orders`, for messages. */
  readonly label: string;
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: Fields;
  readonly podSpec: Fields;
  readonly container: Fields;
  readonly environment: Readonly<Record<string, string>>;
  /** Variables whose value the manifests do not contain, such as those from a Secret. */
  readonly unknown: readonly string[];
  readonly reading: Pick<EnvironmentReading, 'options' | 'mistakes'>;
  /** The options are those that the application has exported, because the container has no variable K8S_AUTH_... */
  readonly isExported: boolean;
}

type Exported = ReadonlyMap<string, ExportedRoutes>;

const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Pod: [],
};

/**
 * Every container of the manifests that has a variable K8S_AUTH_...
 * @param exported name of a workload -> what its application has exported. Without such variables, its first container is
 *   taken with the exported options.
 */
export function findWorkloads(manifests: ManifestSet, exported: Exported = new Map()): Workload[] {
  return manifests
    .ofKind(...Object.keys(TEMPLATES))
    .flatMap((object) => workloadsOf(object, manifests, exported.get(object.name)));
}

function workloadsOf(
  { kind, name, namespace, fields }: ManifestObject,
  manifests: ManifestSet,
  exported: ExportedRoutes | undefined,
): Workload[] {
  const template = objectAt(fields, ...(TEMPLATES[kind] ?? []));
  const podSpec = objectAt(template, 'spec');
  const serviceAccount =
    textAt(podSpec, 'serviceAccountName') ?? textAt(podSpec, 'serviceAccount') ?? 'default';
  const [first, ...others] = objectsAt(podSpec, 'containers');
  const containers = [...objectsAt(podSpec, 'initContainers'), ...(first ? [first, ...others] : [])];
  const all = containers.map((container) => {
    const { environment, unknown } = environmentOf(
      container,
      { namespace, serviceAccount, metadata: objectAt(template, 'metadata') },
      manifests,
    );
    return {
      label: `${kind} ${namespace}/${name}, container ${textAt(container, 'name') ?? '?'}`,
      name,
      namespace,
      serviceAccount,
      podLabels: objectAt(template, 'metadata', 'labels'),
      podSpec,
      container,
      environment,
      unknown,
      reading: optionsFromEnvironment(environment),
      isExported: false,
    };
  });
  const configured = all.filter(({ environment, unknown }) =>
    [...Object.keys(environment), ...unknown].some((variable) => variable.startsWith('K8S_AUTH_')),
  );
  if (configured.length > 0 || !exported?.options) return configured;
  const reading = { options: exported.options, mistakes: [] };
  return all
    .filter(({ container }) => container === first)
    .map((workload) => ({ ...workload, reading, isExported: true }));
}

type Pod = Pick<Workload, 'namespace' | 'serviceAccount'> & { readonly metadata: Fields };

/** The variables with their values, as the kubelet sets them; `env` overrides `envFrom`. */
function environmentOf(container: Fields, pod: Pod, manifests: ManifestSet) {
  const environment: Record<string, string> = {};
  const unknown: string[] = [];
  const dataOf = (configMap: string | undefined) =>
    objectAt(manifests.find('ConfigMap', pod.namespace, configMap ?? '')?.fields ?? {}, 'data');
  for (const source of objectsAt(container, 'envFrom')) {
    const prefix = textAt(source, 'prefix') ?? '';
    const data = dataOf(textAt(source, 'configMapRef', 'name'));
    for (const [key, value] of Object.entries(data)) environment[prefix + key] = String(value);
  }
  for (const entry of objectsAt(container, 'env')) {
    const variable = textAt(entry, 'name') ?? '';
    const reference = objectAt(entry, 'valueFrom', 'configMapKeyRef');
    const value =
      textAt(entry, 'value') ??
      textAt(dataOf(textAt(reference, 'name')), textAt(reference, 'key') ?? '') ??
      fieldOf(textAt(entry, 'valueFrom', 'fieldRef', 'fieldPath'), pod);
    const isKnown = value !== undefined && !referencesOf(value).some((name) => unknown.includes(name));
    if (isKnown) environment[variable] = expand(value, environment);
    else if (Object.hasOwn(entry, 'valueFrom') || value !== undefined) unknown.push(variable);
    else environment[variable] = '';
  }
  return { environment, unknown };
}

/** The fields of a pod that its manifest decides. */
function fieldOf(fieldPath = '', { namespace, serviceAccount, metadata }: Pod): string | undefined {
  const [, map, key] = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(fieldPath) ?? [];
  if (map !== undefined && key !== undefined) return textAt(metadata, map, key);
  if (fieldPath === 'metadata.namespace') return namespace;
  return fieldPath === 'spec.serviceAccountName' ? serviceAccount : undefined;
}

const REFERENCE = /\$(\$|\(([-._a-zA-Z0-9]+)\))/g;

function referencesOf(value: string): readonly string[] {
  return [...value.matchAll(REFERENCE)].flatMap(([, , name]) => name ?? []);
}

/** Replaces `$(NAME)` by variables that are defined before; `$$` is a dollar sign (Kubernetes API, EnvVar.value). */
function expand(value: string, environment: Readonly<Record<string, string>>): string {
  return value.replace(REFERENCE, (text, _, name?: string) =>
    name === undefined ? '$' : (environment[name] ?? text),
  );
}
