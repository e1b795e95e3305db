import { type DestinationOptions } from '../../../src/outbound/destinations.options.js';
import { type Fields, objectAt, objectsAt, textAt } from './fields.js';
import { type ManifestObject, type ManifestSet } from './manifest-set.js';
import { manifestStep, type ManifestStep } from './manifest-step.js';
import { examineTokenMount } from './mounts.js';
import { type Workload } from './workload.js';

/** The audiences that the routes of a workload accept; `undefined` if they are not known. */
export type AudiencesOf = (workload: Workload) => readonly string[] | undefined;

export interface Surroundings {
  readonly manifests: ManifestSet;
  readonly workloads: readonly Workload[];
  readonly audiencesOf: AudiencesOf;
}

/** Follows each destination to its Service and its pods, and compares the audiences of both sides. */
export function checkDestinations(workload: Workload, surroundings: Surroundings): ManifestStep[] {
  return (workload.reading.options.destinations ?? []).flatMap((destination) => {
    const { steps, audience } = examineTokenMount(workload, destination.tokenFile);
    return [...steps, ...checkDestination(workload, destination, audience, surroundings)];
  });
}

function checkDestination(
  workload: Workload,
  { origin, audience: expected }: DestinationOptions,
  audience: string | undefined,
  { manifests, workloads, audiencesOf }: Surroundings,
): ManifestStep[] {
  if (expected !== undefined && audience !== undefined && audience !== expected) {
    const message = `The application expects the audience ${expected} for ${origin}, but the serviceAccountToken source has ${audience || 'none'}: make them equal, and equal to that of @K8sAuth.`;
    return [manifestStep('manifest-audience', workload.label).failed(message)];
  }
  const step = manifestStep('manifest-destination', workload.label);
  const { name, namespace } = serviceOf(origin, workload.namespace);
  const service = manifests.find('Service', namespace, name);
  if (!service) {
    const [elsewhere] = manifests.namespacesOf('Service', name);
    if (elsewhere === undefined) return [step.skipped(`${origin} is not a Service of these manifests.`)];
    const message = `${origin} leads to the namespace ${namespace}, but the Service ${name} is in ${elsewhere}: write http://${name}.${elsewhere}.svc.`;
    return [manifestStep('manifest-namespace', workload.label).failed(message)];
  }
  const portMistake = portMistakeOf(origin, service);
  const targets = workloads.filter((one) => one.namespace === namespace && isSelected(one, service));
  return [
    portMistake === undefined
      ? step.ok(`${origin} is the Service ${namespace}/${name}.`)
      : step.failed(portMistake),
    ...(audience === undefined
      ? []
      : targets.flatMap((target) => compare(workload, origin, audience, target, audiencesOf(target)))),
  ];
}

function compare(
  { label }: Workload,
  origin: string,
  audience: string,
  target: Workload,
  accepted: readonly string[] | undefined,
): ManifestStep[] {
  if (!target.reading.options.verifier) return [];
  const step = manifestStep('manifest-audience', label);
  if (audience === '')
    return [
      step.failed(
        `The token for ${origin} has no audience, so it is for the Kubernetes API: set the audience of the serviceAccountToken source.`,
      ),
    ];
  if (!accepted)
    return [
      step.skipped(
        `The audiences of ${target.label} are not known: set K8S_AUTH_AUDIENCE there, or pass --routes ${target.name}=FILE.`,
      ),
    ];
  if (accepted.includes(audience))
    return [step.ok(`The token for ${origin} has the audience ${audience}, which ${target.label} accepts.`)];
  return [
    step.failed(
      `The token for ${origin} has the audience ${audience}, but ${target.label} accepts ${accepted.join(', ')}: make the audience of the serviceAccountToken source equal to that of @K8sAuth.`,
    ),
  ];
}

/** `name.namespace.svc`, `name.namespace` or `name`, as the cluster's DNS resolves it. */
function serviceOf(
  origin: string,
  ownNamespace: string,
): { readonly name: string; readonly namespace: string } {
  const [name = '', namespace = ownNamespace] = new URL(origin).hostname.split('.');
  return { name, namespace };
}

function portMistakeOf(origin: string, { fields, name }: ManifestObject): string | undefined {
  const { protocol, port } = new URL(origin);
  const wanted = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  const ports = objectsAt(fields, 'spec', 'ports').map((one) => one.port);
  if (ports.length === 0 || ports.includes(wanted)) return undefined;
  return `${origin} uses the port ${wanted}, but the Service ${name} has ${ports.join(', ')}: name the port in K8S_AUTH_DESTINATIONS.`;
}

function isSelected({ podLabels }: Workload, { fields }: ManifestObject): boolean {
  const selector: Fields = objectAt(fields, 'spec', 'selector');
  const names = Object.keys(selector);
  return names.length > 0 && names.every((name) => textAt(podLabels, name) === selector[name]);
}
