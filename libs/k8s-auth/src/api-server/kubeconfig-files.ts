import { readFile } from 'node:fs/promises';
import { type RequestOptions } from 'node:https';
import { dirname, resolve, sep } from 'node:path';
import type * as ClientNode from '@kubernetes/client-node';
import { ConfigurationError, type MistakePlace, formatPlace } from '../errors.js';
import { loggable } from '../util/log.js';
import { importOptional } from '../util/optional-package.js';
import { type ExecPluginSpec } from './exec-plugin.js';

/** The current context of a kubeconfig as client-node reads it, and the members that client-node ignores. */
export interface LoadedKubeconfig {
  readonly cluster: ClientNode.Cluster;
  readonly user: ClientNode.User;
  readonly tokenFile: string | undefined;
  readonly exec: (ExecPluginSpec & { readonly interactiveMode?: string }) | undefined;
  /** Whether the user has `as`, `as-groups` or another impersonation field. */
  readonly isImpersonating: boolean;
  /** The bearer token from the user's auth provider. client-node caches it until it expires. */
  readAuthProviderToken(): Promise<string | undefined>;
}

/** One file and its unchanged entries. */
interface Part {
  readonly root: string;
  readonly config: ClientNode.KubeConfig;
  readonly document: {
    readonly users?: readonly ({ readonly name?: unknown; readonly user?: UserEntry | null } | null)[];
    readonly clusters?: readonly ({
      readonly name?: unknown;
      readonly cluster?: ClusterEntry | null;
    } | null)[];
  };
}

interface UserEntry {
  readonly tokenFile?: string;
  readonly exec?: ExecPluginSpec & {
    readonly interactiveMode?: string;
    readonly provideClusterInfo?: boolean;
  };
}

interface ClusterEntry {
  readonly server?: string;
  readonly 'tls-server-name'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'proxy-url'?: string;
  readonly 'disable-compression'?: boolean;
  readonly extensions?: readonly { readonly name?: string; readonly extension?: unknown }[] | null;
}

/**
 * Reads kubeconfig files and merges them as kubectl does: missing files are skipped, and the first of two entries with
 * the same name, or of two values of `current-context`, is used. Errors never contain the text of a file or a parser's
 * message, because both may contain the token.
 * @param place the option or variable that names the files
 * @param importClientNode for specs, to simulate a package that is not installed
 * @throws {ConfigurationError} all files are missing, one cannot be read, or there is no current context
 * @internal
 */
export async function loadKubeconfig(
  files: readonly string[],
  place: MistakePlace,
  importClientNode: () => Promise<typeof ClientNode> = () => import('@kubernetes/client-node'),
): Promise<LoadedKubeconfig> {
  // Imported only here, because loading it takes half a second and 50 MB.
  const clientNode = await importOptional('@kubernetes/client-node', place, importClientNode);
  const read = await Promise.all(files.map((file) => readPart(file, place, clientNode)));
  const parts = read.filter((part) => part !== undefined);
  if (parts.length === 0) throw unreadable(files.join(' or '), place);
  const merged = new clientNode.KubeConfig();
  merged.loadFromOptions({
    clusters: parts.flatMap(({ config }) => config.getClusters()),
    users: parts.flatMap(({ config }) => config.getUsers()),
    contexts: parts.flatMap(({ config }) => config.getContexts()),
    currentContext: parts.map(({ config }) => config.getCurrentContext()).find(Boolean),
  });
  const cluster = merged.getCurrentCluster();
  const user = merged.getCurrentUser();
  if (!cluster || !user) {
    throw new ConfigurationError([
      { place, message: 'expected a current-context with a cluster and a user' },
    ]);
  }
  const tokenConfig = new clientNode.KubeConfig();
  // Without the certificates, because client-node reads their files synchronously at each call, and only the token is
  // needed.
  const { caFile: _ca, ...server } = cluster;
  const { certFile: _cert, keyFile: _key, ...self } = user;
  tokenConfig.loadFromClusterAndUser(server, self);
  return {
    cluster,
    user,
    ...(await readOmittedMembers(parts, cluster, user)),
    readAuthProviderToken: () => readAuthProviderToken(tokenConfig, place),
  };
}

/** @returns `undefined` for a file that is missing */
async function readPart(
  file: string,
  place: MistakePlace,
  { KubeConfig, loadYaml }: typeof ClientNode,
): Promise<Part | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(file, place);
  });
  if (text === undefined) return undefined;
  const config = new KubeConfig();
  const root = dirname(resolve(file));
  try {
    const document = text.trim() === '' ? {} : loadYaml<Part['document']>(text);
    if (typeof document !== 'object' || Array.isArray(document)) throw new Error('expected a mapping');
    // Like kubectl, ignore invalid entries of other contexts.
    config.loadFromString(JSON.stringify(document), { onInvalidEntry: 'filter' });
    config.makePathsAbsolute(root);
    return { root, config, document };
  } catch {
    throw new ConfigurationError([{ place, message: `expected a kubeconfig in ${file}` }]);
  }
}

function unreadable(files: string, place: MistakePlace): ConfigurationError {
  return new ConfigurationError([
    { place, message: `expected a kubeconfig in ${files}, which cannot be read` },
  ]);
}

/** Reads the members that client-node ignores. The identity of client-node's objects tells the file of an entry. */
async function readOmittedMembers(
  parts: readonly Part[],
  cluster: ClientNode.Cluster,
  user: ClientNode.User,
) {
  const userPart = parts.find(({ config }) => config.getUsers().includes(user));
  const clusterPart = parts.find(({ config }) => config.getClusters().includes(cluster));
  const entry = userPart?.document.users?.find((one) => one?.name === user.name)?.user ?? {};
  const server = clusterPart?.document.clusters?.find((one) => one?.name === cluster.name)?.cluster ?? {};
  const root = userPart?.root ?? '';
  const { tokenFile, exec } = entry;
  return {
    tokenFile: tokenFile ? resolve(root, tokenFile) : undefined,
    exec: exec && {
      ...exec,
      // As in a shell, a name without a path is searched for in `PATH`.
      command: exec.command?.includes(sep) ? resolve(root, exec.command) : exec.command,
      cluster: exec.provideClusterInfo ? await clusterInfo(server, cluster) : undefined,
    },
    isImpersonating: Object.entries(entry).some(([key, value]) => /^as(-|$)/.test(key) && !isEmpty(value)),
  };
}

/** Whether Go's `omitempty` omits the value. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' ? Object.keys(value ?? {}).length === 0 : !value;
}

/**
 * `spec.cluster` of client.authentication.k8s.io/v1. Like client-go, it contains the text of the CA file. A CA file
 * that cannot be read is ignored here: another check fails startup.
 */
async function clusterInfo(entry: ClusterEntry, { caFile }: ClientNode.Cluster): Promise<object> {
  const { 'certificate-authority-data': data, extensions } = entry;
  const ca = data ? Buffer.from(data, 'base64') : caFile && (await readFile(caFile).catch(() => undefined));
  const members = {
    server: entry.server,
    'tls-server-name': entry['tls-server-name'],
    'insecure-skip-tls-verify': entry['insecure-skip-tls-verify'],
    'certificate-authority-data': ca && ca.toString('base64'),
    'proxy-url': entry['proxy-url'],
    'disable-compression': entry['disable-compression'],
    config: extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => Boolean(value)));
}

async function readAuthProviderToken(
  config: ClientNode.KubeConfig,
  place: MistakePlace,
): Promise<string | undefined> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    // eslint-disable-next-line preserve-caught-error -- a parser quotes what it could not parse, which may be the token
    throw new Error(`own credential cannot be read from ${formatPlace(place)}${reasonOf(error)}`);
  }
  const { Authorization: header } = (options.headers ?? {}) as Readonly<Record<string, unknown>>;
  return typeof header === 'string' ? header.replace(/^Bearer /, '') : undefined;
}

/** Only the text up to the first colon: behind it, client-node quotes the output of a command, which may be the token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || error instanceof SyntaxError) return '';
  return `: ${loggable(error.message.replace(/[:\r\n].*$/s, ''))}`;
}
