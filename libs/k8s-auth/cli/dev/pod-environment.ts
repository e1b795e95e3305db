import { posix, win32 } from 'node:path';
import { type ServiceOptions } from './dev.options.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the stand-in has put what a pod has. */
export interface PodFiles {
  /** URL of the API server. */
  readonly url: string;
  readonly issuer: string;
  /** A kubeconfig that names the CA and the file of the pod's own token. */
  readonly kubeconfig: string;
  /** PEM file with the public keys of the cluster. */
  readonly publicKeyFile: string;
  /** Token file by origin. */
  readonly destinations: readonly { readonly origin: string; readonly tokenFile: string }[];
  /** A CommonJS file for `--require`. It shows a process the paths of a pod, and the names of a cluster. */
  readonly preloaded: string;
}

export interface PodEnvironmentOptions {
  readonly service: Pick<ServiceOptions, 'audience' | 'verifier' | 'port' | 'environment'>;
  readonly files: PodFiles;
  /** The environment of the user. */
  readonly inherited: Environment;
  /** Names of variables that the user sets elsewhere. */
  readonly alsoSet: readonly string[];
  /** The user's project. */
  readonly directory: string;
  /** @default the platform of this process */
  readonly platform?: NodeJS.Platform;
}

/**
 * The environment of a process in a pod. `KUBECONFIG` of the user is always replaced, because it names a real cluster, and
 * clients look there before they use the mount of the pod. Variables of the library get a default only if the user does
 * not set them.
 */
export function podEnvironment(options: PodEnvironmentOptions): Record<string, string | undefined> {
  const { service, files, alsoSet, directory, platform = process.platform } = options;
  const inherited = platform === 'win32' ? withUpperCaseNames(options.inherited) : options.inherited;
  const isSet = (name: string) => inherited[name] !== undefined || alsoSet.includes(name);
  const defaults = Object.entries(libraryVariables(service, files)).filter(([name]) => !isSet(name));
  const { hostname, port } = new URL(files.url);
  return {
    ...withLocalPrograms(inherited, directory, platform),
    ...Object.fromEntries(defaults),
    ...service.environment,
    // Given on the command line, so they override the user's own.
    ...(files.destinations.length > 0 && { K8S_AUTH_DESTINATIONS: destinationsOf(files) }),
    KUBECONFIG: files.kubeconfig,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    KUBERNETES_SERVICE_PORT_HTTPS: port,
    // Before the modules that the user preloads.
    NODE_OPTIONS: [`--require ${quoteForNode(files.preloaded)}`, inherited.NODE_OPTIONS]
      .filter(Boolean)
      .join(' '),
    PORT: String(service.port),
  };
}

/** Only the variables that the verifier reads: the library warns about the others. */
function libraryVariables(
  { verifier, audience }: PodEnvironmentOptions['service'],
  { issuer, publicKeyFile }: PodFiles,
): Record<string, string> {
  if (verifier === undefined) return {};
  return {
    K8S_AUTH_VERIFIER: verifier,
    K8S_AUTH_AUDIENCE: audience,
    ...(verifier === 'jwt-pubkey' && {
      K8S_AUTH_ISSUER: issuer,
      K8S_AUTH_PUBLIC_KEY_FILES: publicKeyFile,
    }),
  };
}

function destinationsOf({ destinations }: PodFiles): string {
  return destinations.map(({ origin, tokenFile }) => `${origin}=${tokenFile}`).join(',');
}

/** `NODE_OPTIONS` separates words at spaces. Inside of quotes, a backslash escapes. */
function quoteForNode(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}

/** Finds `nest` in the project as npm scripts do. */
function withLocalPrograms(
  environment: Environment,
  directory: string,
  platform: NodeJS.Platform,
): Environment {
  const path = platform === 'win32' ? win32 : posix;
  const programs = path.join(directory, 'node_modules', '.bin');
  return { ...environment, PATH: [programs, environment.PATH].filter(Boolean).join(path.delimiter) };
}

/**
 * Windows ignores the case of names, and has `Path`, for example. A copy of the environment does not ignore it: with two
 * spellings of one name, a child process would get only one of the values.
 */
function withUpperCaseNames(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name.toUpperCase(), value]));
}
