import { parseArgs } from 'node:util';
import { type Environment } from '../../src/config/environment.js';
import { processEnvironment } from '../../src/config/k8s-auth.config.js';
import { type Clock, systemClock } from '../../src/util/clock.js';
import { parseUrl } from '../../src/util/syntax.js';
import { EXIT, UsageError } from '../command.js';
import { writeLine } from '../output.js';
import { diagnose } from './diagnose.js';
import { checkManifests } from './manifests/check-manifests.js';
import { readManifests } from './manifests/manifest-set.js';
import { readExportedRoutes } from './manifests/exported-routes.js';
import { formatReport } from './report.format.js';
import { hasFailed, type Step } from './step.js';

export const help = `
Usage: npx nest-k8s-auth doctor [options]

Checks step by step what the configuration in the variables K8S_AUTH_... needs: the API server, our own token and rights,
issuer, keys, clock, token files and destinations. Each line is one sentence; a problem says what to do. Runs on a
laptop, in a pod, and as an init container. Each problem ends with the URL of its explanation.

  kubectl exec deploy/orders -- npx nest-k8s-auth doctor

Options:
  --inbound           check only what receiving requests needs
  --outbound          check only what calling other services needs
  --path PATH         the path that is called with GET at each destination, without and with the token (default: /)
  --json              print one JSON document
  --manifests DIR|-   check rendered YAML instead, without a cluster: kubectl kustomize . | npx nest-k8s-auth doctor --manifests -
  --namespace NAME    the namespace of manifests that name none (default: default)
  --routes NAME=FILE  the routes of the workload NAME, as npx nest-k8s-auth routes prints them; may be repeated

Exit status: 0 nothing failed (warnings are allowed); 1 a step failed; 2 wrong arguments.
`;

export interface DoctorIo {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly stdin: NodeJS.ReadableStream;
  readonly write: (line: string) => void;
  /** The directory that contains the paths of a pod. @default '/' */
  readonly root?: string;
}

export async function run(args: readonly string[], io: DoctorIo = processIo()): Promise<number> {
  const { inbound, outbound, path = '/', json, manifests, namespace = 'default', routes } = parse(args);
  if (manifests !== undefined) {
    if (inbound || outbound) throw new UsageError('--manifests: expected without --inbound and --outbound.');
    const set = await readManifests(manifests, namespace, io.stdin);
    return report(checkManifests(set, await readExportedRoutes(routes ?? [])), json === true, io);
  }
  if (routes) throw new UsageError('--routes: expected together with --manifests.');
  if (inbound && outbound)
    throw new UsageError('expected --inbound or --outbound, not both: without them, both are checked.');
  if (!isPath(path)) throw new UsageError('--path: expected a path that begins with one slash.');
  const only = inbound ? 'inbound' : outbound ? 'outbound' : undefined;
  return report(await diagnose({ only, path }, io), json === true, io);
}

/** The URL parser reads `//host`, `/\\host` and similar texts as another host, which must not get the token. */
function isPath(path: string): boolean {
  const base = 'http://destination.invalid';
  return path.startsWith('/') && parseUrl(path, base)?.origin === base;
}

function report(steps: readonly Step<string>[], isJson: boolean, { write }: DoctorIo): number {
  const lines = isJson ? [JSON.stringify({ steps }, undefined, 2)] : formatReport(steps);
  for (const line of lines) write(line);
  return hasFailed(steps) ? EXIT.failure : EXIT.ok;
}

function processIo(): DoctorIo {
  return { environment: processEnvironment(), clock: systemClock, stdin: process.stdin, write: writeLine };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        inbound: { type: 'boolean' },
        outbound: { type: 'boolean' },
        path: { type: 'string' },
        json: { type: 'boolean' },
        manifests: { type: 'string' },
        namespace: { type: 'string' },
        routes: { type: 'string', multiple: true },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}
