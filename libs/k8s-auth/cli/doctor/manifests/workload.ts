import { optionsFromEnvironment, type EnvironmentReading } from '../../../src/config/environment.js';
import { type Fields, objectAt, objectsAt, textAt } from './fields.js';
import { type ManifestObject, type ManifestSet } from './manifest-set.js';

/** A container that is configured with variables K8S_AUTH_..., and its pod. */
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
  readonly reading: EnvironmentReading;
}

const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Pod: [],
};

/** Every container of the manifests that has a variable K8S_AUTH_... */
export function findWorkloads(manifests: ManifestSet): Workload[] {
  return manifests.ofKind(...Object.keys(TEMPLATES)).flatMap((object) => workloadsOf(object, manifests));
}

function workloadsOf({ kind, name, namespace, fields }: ManifestObject, manifests: ManifestSet): Workload[] {
  const template = objectAt(fields, ...(TEMPLATES[kind] ?? []));
  const podSpec = objectAt(template, 'spec');
  const containers = [...objectsAt(podSpec, 'initContainers'), ...objectsAt(podSpec, 'containers')];
  return containers.flatMap((container): Workload[] => {
    const { environment, unknown } = environmentOf(container, namespace, manifests);
    if (![...Object.keys(environment), ...unknown].some((variable) => variable.startsWith('K8S_AUTH_')))
      return [];
    return [
      {
        label: `${kind} ${namespace}/${name}, container ${textAt(container, 'name') ?? '?'}`,
        name,
        namespace,
        serviceAccount:
          textAt(podSpec, 'serviceAccountName') ?? textAt(podSpec, 'serviceAccount') ?? 'default',
        podLabels: objectAt(template, 'metadata', 'labels'),
        podSpec,
        container,
        environment,
        unknown,
        reading: optionsFromEnvironment(environment),
      },
    ];
  });
}

/** The variables with their values, as the kubelet sets them; `env` overrides `envFrom`. */
function environmentOf(container: Fields, namespace: string, manifests: ManifestSet) {
  const environment: Record<string, string> = {};
  const unknown: string[] = [];
  const dataOf = (configMap: string | undefined) =>
    objectAt(manifests.find('ConfigMap', namespace, configMap ?? '')?.fields ?? {}, 'data');
  for (const source of objectsAt(container, 'envFrom')) {
    const prefix = textAt(source, 'prefix') ?? '';
    const data = dataOf(textAt(source, 'configMapRef', 'name'));
    for (const [key, value] of Object.entries(data)) environment[prefix + key] = String(value);
  }
  for (const entry of objectsAt(container, 'env')) {
    const variable = textAt(entry, 'name') ?? '';
    const reference = objectAt(entry, 'valueFrom', 'configMapKeyRef');
    const value =
      textAt(entry, 'value') ?? textAt(dataOf(textAt(reference, 'name')), textAt(reference, 'key') ?? '');
    if (value !== undefined) environment[variable] = value;
    else if (Object.hasOwn(entry, 'valueFrom')) unknown.push(variable);
    else environment[variable] = '';
  }
  return { environment, unknown };
}
