import { posix } from 'node:path';
import { objectAt, objectsAt, type Fields, textAt } from './fields.js';
import { manifestStep, type ManifestStep } from './manifest-step.js';
import { type Workload } from './workload.js';

/** Where a token file of a container comes from. */
export interface TokenMount {
  readonly steps: readonly ManifestStep[];
  /** The audience of the projected token; `undefined` if the file is not such a token. */
  readonly audience?: string | undefined;
}

/** Checks that a projected volume with a token is mounted where the configuration expects the file. */
export function examineTokenMount(workload: Workload, file: string): TokenMount {
  const { label, container, podSpec } = workload;
  const step = manifestStep('manifest-mount', label);
  const mount = findMount(container, file);
  const volumes = objectsAt(podSpec, 'volumes');
  if (!mount) return { steps: [step.failed(remedyOf(volumes, file))] };
  const name = textAt(mount, 'name') ?? '';
  const mountPath = textAt(mount, 'mountPath') ?? '';
  const volume = volumes.find((one) => textAt(one, 'name') === name);
  if (!volume)
    return {
      steps: [
        step.failed(
          `The volumeMount at ${mountPath} names the volume ${name}, which does not exist: add it to volumes.`,
        ),
      ],
    };
  const subPath = textAt(mount, 'subPath') ?? textAt(mount, 'subPathExpr');
  if (subPath !== undefined) {
    const message = `${file} is mounted with subPath, so it is never renewed: mount the volume ${name} at ${posix.dirname(file)}, without subPath.`;
    return {
      steps: [manifestStep('manifest-sub-path', label).failed(message)],
      audience: audienceIn(volume, subPath),
    };
  }
  const path = posix.relative(mountPath, file);
  const source = tokenSources(volume).find((one) => textAt(one, 'path') === path);
  if (!source)
    return {
      steps: [
        step.failed(
          `The volume ${name} at ${mountPath} has no serviceAccountToken source with the path ${path}, so ${file} does not exist: add one, or correct the path.`,
        ),
      ],
    };
  return {
    steps: [step.ok(`${file} is the token of the volume ${name}.`)],
    audience: textAt(source, 'audience') ?? '',
  };
}

/** Whether any volume is mounted over the path. @internal */
export function isMounted({ container }: Workload, path: string): boolean {
  return findMount(container, path) !== undefined;
}

/** The mount with the longest path that contains the file, as the kernel finds it. */
function findMount(container: Fields, file: string): Fields | undefined {
  const pathOf = (mount: Fields) => (textAt(mount, 'mountPath') ?? '').replace(/\/+$/, '');
  return objectsAt(container, 'volumeMounts')
    .filter((mount) => file === pathOf(mount) || file.startsWith(`${pathOf(mount)}/`))
    .sort((one, other) => pathOf(other).length - pathOf(one).length)[0];
}

function remedyOf(volumes: readonly Fields[], file: string): string {
  const directory = posix.dirname(file);
  const unmounted = volumes.find((volume) => audienceIn(volume, posix.basename(file)) !== undefined);
  if (unmounted)
    return `${file} is not mounted: add a volumeMount of the volume ${textAt(unmounted, 'name') ?? ''} with mountPath ${directory} to this container.`;
  return `${file} is not mounted: add a projected volume with a serviceAccountToken source with the path ${posix.basename(file)}, and a volumeMount with mountPath ${directory}.`;
}

function audienceIn(volume: Fields, path: string): string | undefined {
  const source = tokenSources(volume).find((one) => textAt(one, 'path') === path);
  return source && (textAt(source, 'audience') ?? '');
}

function tokenSources(volume: Fields): readonly Fields[] {
  return objectsAt(volume, 'projected', 'sources').flatMap((source) =>
    Object.hasOwn(source, 'serviceAccountToken') ? [objectAt(source, 'serviceAccountToken')] : [],
  );
}
