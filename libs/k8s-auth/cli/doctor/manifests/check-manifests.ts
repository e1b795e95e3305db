import { UsageError } from '../../command.js';
import { type ExportedRoutes } from '../../routes/exported-routes.js';
import { checkAccount } from './account.check.js';
import { type AudiencesOf, checkDestinations } from './destinations.check.js';
import { audiencesOf as audiencesOfRoutes } from './exported-routes.js';
import { type ManifestSet } from './manifest-set.js';
import { manifestStep, type ManifestStep } from './manifest-step.js';
import { checkRights } from './rights.check.js';
import { findWorkloads, type Workload } from './workload.js';

/**
 * Checks rendered manifests without a cluster.
 * @param exported name of a workload -> its routes, whose audiences override K8S_AUTH_AUDIENCE, and its options, which
 *   are used if the workload has no variable K8S_AUTH_...
 * @throws {UsageError} there is nothing to check, or no workload has one of the names
 */
export function checkManifests(
  manifests: ManifestSet,
  exported: ReadonlyMap<string, ExportedRoutes> = new Map(),
): ManifestStep[] {
  const workloads = findWorkloads(manifests, exported);
  if (workloads.length === 0)
    throw new UsageError(
      'no container of the manifests has a variable K8S_AUTH_..., so there is nothing to check. For applications with ' +
        'forRoot, export their options with npx nest-k8s-auth routes, and name the file with --routes.',
    );
  const unknown = [...exported.keys()].filter((name) => !workloads.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new UsageError(
      `--routes: expected names of ${workloads.map(({ name }) => name).join(', ')}, got ${unknown.join(', ')}.`,
    );
  const audiencesOf: AudiencesOf = ({ name, reading }) => {
    const { audience } = reading.options;
    const routes = exported.get(name);
    if (routes) return audiencesOfRoutes(routes);
    return audience === undefined ? undefined : [audience].flat();
  };
  return workloads.flatMap((workload) => [
    configurationStep(workload),
    ...checkAccount(workload, manifests),
    ...checkRights(workload, manifests),
    ...checkDestinations(workload, { manifests, workloads, audiencesOf }),
  ]);
}

function configurationStep(workload: Workload): ManifestStep {
  const { label, reading, unknown, isExported } = workload;
  const { mistakes } = reading;
  const step = manifestStep('manifest-configuration', label);
  if (isExported)
    return step.ok(
      'No variable K8S_AUTH_... is set: the options are those that the application has exported.',
    );
  if (mistakes.length === 0) return step.ok('The variables are valid.');
  const message = `Correct the variables of this container: ${mistakes.join('; ')}.`;
  const isUncertain = unknown.some((name) => name.startsWith('K8S_AUTH_'));
  return isUncertain
    ? step.warning(`${message} ${unknown.join(', ')} come from other places, so this may be wrong.`)
    : step.failed(message);
}
