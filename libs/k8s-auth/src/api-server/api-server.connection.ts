import { delimiter, join } from 'node:path';
import { ConfigurationError, type MistakePlace, formatPlace } from '../errors.js';
import { type EventSink } from '../events/k8s-auth.events.js';
import { type Clock } from '../util/clock.js';
import { FileTokenSource } from '../token-file/file-token-source.js';
import { type Log } from '../util/log.js';
import { type ApiServerOptions } from './api-server.options.js';
import { awaitBoth } from './await-both.js';
import { findPodMount, isApiServerOfPod, pathIfExists, podApiServerUrl } from './in-cluster.js';
import { readKubeconfig } from './kubeconfig.js';
import { type OwnApiServer } from './own-api-server.js';
import { type ClientCertificate, FileCredential, type OwnCredential } from './own-credential.js';
import { type PemSource, readTls, type TlsSettings, type TlsSource } from '../http/tls-source.js';

/** What is needed to find the API server, besides the options. */
export interface ApiServerContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EventSink;
  readonly ownApiServer?: OwnApiServer;
  /** The process environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Root directory of the pod's mount; specs use another one. @default '/' */
  readonly podRoot?: string;
}

/** The address of the API server, how to trust it, and the credential to call it with. */
export interface ApiServerConnection {
  /** Origin and base path, without a trailing slash. */
  readonly url: string;
  /** The content of the files at startup. */
  readonly tls: TlsSettings;
  /** Reads the files again. @throws {ConfigurationError} they cannot be used now */
  readTls(): Promise<TlsSettings>;
  /** The certificate of the credential. If this is another object than before, `readTls` returns other settings. */
  clientCertificate(): ClientCertificate | undefined;
  /** `undefined`: we authenticate with the client certificate in `tls`. */
  readonly credential: OwnCredential | undefined;
  /** Where all this was found, for the log. */
  readonly description: string;
}

/** A connection whose TLS files have not been read yet. */
interface FoundServer {
  readonly url: string;
  readonly tls: TlsSource;
  readonly checkServer?: () => void;
  readonly credential: () => OwnCredential | undefined;
  readonly description: string;
}

/**
 * Finds the API server. Looks at the options, then `KUBECONFIG`, the pod's own ServiceAccount, `~/.kube/config`.
 * Sends no request, so the API server may be unreachable.
 * @returns `undefined` if none of them names an API server
 * @throws {ConfigurationError} the settings that were found cannot be used
 * @internal
 */
export async function findApiServer(
  options: ApiServerOptions | undefined,
  context: ApiServerContext,
): Promise<ApiServerConnection | undefined> {
  const found = await find(options ?? {}, context);
  if (!found) return undefined;
  const { url, tls, description } = found;
  const parts = awaitBoth(
    Promise.resolve().then(() => found.credential()),
    readTls(tls),
  );
  // Report all mistakes in one error.
  const [, [credential, first]] = await awaitBoth(
    Promise.resolve().then(() => found.checkServer?.()),
    parts,
  );
  const clientCertificate = () => credential?.clientCertificate?.();
  return {
    url: new URL(url).href.replace(/\/+$/, ''),
    tls: first,
    readTls: async () => ({ ...(await readTls(tls)), ...clientCertificate() }),
    clientCertificate,
    credential,
    description,
  };
}

/** Like {@link findApiServer}. @throws {ConfigurationError} also if no API server is found @internal */
export async function requireApiServer(
  options: ApiServerOptions | undefined,
  context: ApiServerContext,
): Promise<ApiServerConnection> {
  const connection = await findApiServer(options, context);
  if (connection) return connection;
  const message =
    'no API server found; looked for KUBECONFIG, the ServiceAccount of the pod (KUBERNETES_SERVICE_HOST and the mounted ' +
    'token), and ~/.kube/config. Without a cluster, use "npx nest-k8s-auth dev" to start the service, and testK8sAuth in tests';
  throw new ConfigurationError([{ place: { option: 'apiServer' }, message }]);
}

async function find(options: ApiServerOptions, context: ApiServerContext): Promise<FoundServer | undefined> {
  const { environment } = context;
  if (options.kubeconfigFile !== undefined) {
    return fromKubeconfig([options.kubeconfigFile], { option: 'apiServer.kubeconfigFile' }, options, context);
  }
  if (options.url !== undefined) return fromUrl(options.url, { option: 'apiServer.url' }, options, context);
  const listed = environment.KUBECONFIG?.split(delimiter).filter((file) => file !== '') ?? [];
  if (listed.length > 0) return fromKubeconfig(listed, 'variable KUBECONFIG', options, context);

  const podUrl = podApiServerUrl(environment);
  if (podUrl !== undefined) {
    const { tokenFile = options.tokenFile } = await findPodMount(context.podRoot ?? '/');
    if (tokenFile !== undefined) return fromUrl(podUrl, "the pod's ServiceAccount", options, context);
  }

  const { USERPROFILE, HOME = USERPROFILE } = environment; // Windows has no HOME.
  const home = HOME && (await pathIfExists(join(HOME, '.kube', 'config')));
  return home ? fromKubeconfig([home], '~/.kube/config', options, context) : undefined;
}

/**
 * For the pod's own API server, the pod's mount provides the files that the options omit. Another server must not
 * receive the pod's token.
 */
async function fromUrl(
  url: string,
  place: MistakePlace,
  options: ApiServerOptions,
  { environment, podRoot = '/', ...context }: ApiServerContext,
): Promise<FoundServer> {
  const isOwn = await isApiServerOfPod(url, environment, podRoot);
  const mount = isOwn ? await findPodMount(podRoot) : {};
  const tokenFile = options.tokenFile ?? mount.tokenFile;
  const credential = () => {
    if (tokenFile !== undefined) return fileCredential(tokenFile, context);
    const message = isOwn
      ? 'expected a path, because no token of a pod ServiceAccount is mounted'
      : "is required together with 'apiServer.url', which is not the API server of the pod";
    throw new ConfigurationError([{ place: { option: 'apiServer.tokenFile' }, message }]);
  };
  const ca =
    caSource(options) ?? (mount.caFile && { place: "the pod's CA", file: mount.caFile }) ?? undefined;
  return {
    url,
    tls: ca ? { ca } : {},
    credential,
    description: formatPlace(place),
  };
}

async function fromKubeconfig(
  files: readonly string[],
  place: MistakePlace,
  options: ApiServerOptions,
  context: ApiServerContext,
): Promise<FoundServer> {
  const kubeconfig = await readKubeconfig(files, place, context);
  const { tokenFile } = options;
  const ca = caSource(options) ?? kubeconfig.tls.ca;
  const { cert, key, servername } = kubeconfig.tls;
  return {
    url: kubeconfig.url,
    checkServer: kubeconfig.checkServer,
    tls: {
      ...(ca && { ca }),
      ...(servername !== undefined && { servername }),
      ...(tokenFile === undefined && cert && { cert }),
      ...(tokenFile === undefined && key && { key }),
    },
    credential: () =>
      tokenFile === undefined
        ? kubeconfig.credential((file) => fileCredential(file, context))
        : fileCredential(tokenFile, context),
    description: `${formatPlace(place)} (${files.join(', ')})`,
  };
}

function caSource({ caFile }: ApiServerOptions): PemSource | undefined {
  return caFile === undefined ? undefined : { place: { option: 'apiServer.caFile' }, file: caFile };
}

function fileCredential(
  file: string,
  { clock, log, events, ownApiServer }: Omit<ApiServerContext, 'environment' | 'podRoot'>,
): OwnCredential {
  if (ownApiServer) ownApiServer.tokenFile = file;
  return new FileCredential(new FileTokenSource({ file, mayBeOpaque: true, clock, log, events }));
}
