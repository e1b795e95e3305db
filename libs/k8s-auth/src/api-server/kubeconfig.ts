import { ConfigurationError, type MistakePlace } from '../errors.js';
import { parseUrl } from '../util/syntax.js';
import { ExecPlugin, type ExecPluginContext } from './exec-plugin.js';
import { type LoadedKubeconfig, loadKubeconfig } from './kubeconfig-files.js';
import { readPodKubeconfig } from './pod-kubeconfig.js';
import { type CredentialValue, KubeconfigCredential, type OwnCredential } from './own-credential.js';
import { MIN_READ_PERIOD_MS, versionOfTokenFile } from '../token-file/token-file.js';
import { type PemSource, type TlsSource } from '../http/tls-source.js';

/** The server and the user of a kubeconfig's current context, in the form that this library uses. */
export interface Kubeconfig {
  readonly url: string;
  readonly tls: TlsSource;
  /** @throws {ConfigurationError} the server cannot be called with verified TLS */
  readonly checkServer: () => void;
  /**
   * @param ofFile creates the credential for a token file
   * @returns `undefined` if we authenticate with the client certificate of the kubeconfig
   * @throws {ConfigurationError} the user has no credential that is supported
   */
  credential(ofFile: (tokenFile: string) => OwnCredential): OwnCredential | undefined;
}

/**
 * @param place the option or variable that names the files
 * @throws {ConfigurationError} a file is unreadable or incomplete
 * @internal
 */
export async function readKubeconfig(
  files: readonly string[],
  place: MistakePlace,
  context: ExecPluginContext,
): Promise<Kubeconfig> {
  const [file = '', ...others] = files;
  const pod = others.length === 0 ? await readPodKubeconfig(file) : undefined;
  if (pod) {
    const ca = { place, field: 'certificate-authority', file: pod.caFile };
    return {
      url: pod.url,
      tls: { ca },
      checkServer: () => undefined,
      credential: (ofFile) => ofFile(pod.tokenFile),
    };
  }
  const loaded = await loadKubeconfig(files, place);
  return {
    url: loaded.cluster.server,
    tls: tlsOf(loaded, place),
    checkServer: () => checkServer(loaded, place),
    credential: (ofFile) => {
      // We do not send impersonation headers. Without them, the user may have more rights.
      if (loaded.isImpersonating)
        throw new ConfigurationError([{ place, message: 'expected a user without impersonation' }]);
      const tokenFile = loaded.tokenFile ?? tokenFileOfProvider(loaded);
      // As in client-go, a token file overrides a token in the kubeconfig.
      if (tokenFile !== undefined) return ofFile(tokenFile);
      return kubeconfigCredentialOf(loaded, place, context, files);
    },
  };
}

function checkServer({ cluster }: LoadedKubeconfig, place: MistakePlace): void {
  const mistakes = [
    ...(isHttps(cluster.server) ? [] : ['a server with an https URL']),
    ...(cluster.skipTLSVerify ? ['a cluster without insecure-skip-tls-verify'] : []),
    ...(cluster.proxyUrl ? ['a cluster without proxy-url'] : []),
  ];
  if (mistakes.length > 0)
    throw new ConfigurationError(mistakes.map((what) => ({ place, message: `expected ${what}` })));
}

/** In the order of client-go: a credential in the kubeconfig itself overrides a plugin. */
function kubeconfigCredentialOf(
  loaded: LoadedKubeconfig,
  place: MistakePlace,
  context: ExecPluginContext,
  files: readonly string[],
): KubeconfigCredential | undefined {
  const { user, exec } = loaded;
  if (isToken(user.token)) {
    const reload = async () => (await loadKubeconfig(files, place)).user.token;
    return new KubeconfigCredential(kubeconfigTokenReader(user.token, files, reload, context));
  }
  if (user.certFile || user.certData) return undefined;
  if (typeof exec?.command === 'string' && exec.interactiveMode !== 'Always') {
    const plugin = new ExecPlugin(exec, context);
    return new KubeconfigCredential(
      (forceRefresh) => plugin.credential(forceRefresh),
      () => plugin.close(),
    );
  }
  if (user.authProvider)
    return new KubeconfigCredential(async () => ({ token: await loaded.readAuthProviderToken() }));
  const message =
    'expected a user with a token (a string), a token file, a client certificate, an exec plugin that needs no ' +
    'terminal, or an auth provider';
  throw new ConfigurationError([{ place, message }]);
}

/**
 * After a 401 the files are read immediately if they were replaced, otherwise at most every 500 ms, like token files.
 */
function kubeconfigTokenReader(
  first: string,
  files: readonly string[],
  reload: () => Promise<unknown>,
  { clock }: ExecPluginContext,
): (forceRefresh: boolean) => Promise<CredentialValue> {
  let token = first;
  let lastReadMs = -Infinity;
  let lastVersion: string | undefined;
  return async (forceRefresh) => {
    if (!forceRefresh) return { token };
    const version = (await Promise.all(files.map(versionOfTokenFile))).map(({ id }) => id).join('\n');
    const startedMs = clock.monotonicMs();
    if (version !== lastVersion || startedMs - lastReadMs >= MIN_READ_PERIOD_MS) {
      [lastVersion, lastReadMs] = [version, startedMs];
      const reloaded = await reload();
      if (isToken(reloaded)) token = reloaded;
    }
    return { token };
  };
}

/** A kubeconfig may contain any type of value here, and a half-written file may contain none. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function tokenFileOfProvider({ user }: LoadedKubeconfig): string | undefined {
  const file = (user.authProvider as { config?: { tokenFile?: unknown } } | null | undefined)?.config
    ?.tokenFile;
  return typeof file === 'string' ? file : undefined;
}

function isHttps(server: string): boolean {
  return parseUrl(server)?.protocol === 'https:';
}

function tlsOf({ cluster, user }: LoadedKubeconfig, place: MistakePlace): TlsSource {
  const ca = pem(place, 'certificate-authority', cluster.caFile, cluster.caData);
  const cert = pem(place, 'client-certificate', user.certFile, user.certData);
  const key = pem(place, 'client-key', user.keyFile, user.keyData);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
  };
}

/** Inline data overrides a file, as in client-go. */
function pem(place: MistakePlace, field: string, file?: string, base64?: string): PemSource | undefined {
  if (base64) return { place, field: `${field}-data`, text: Buffer.from(base64, 'base64').toString('utf8') };
  return file ? { place, field, file } : undefined;
}
