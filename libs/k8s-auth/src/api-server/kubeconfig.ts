import { ConfigurationError, type MistakePlace } from '../errors.js';
import { parseUrl } from '../util/syntax.js';
import { ExecPlugin, type ExecPluginContext } from './exec-plugin.js';
import { loadKubeconfig, type LoadedKubeconfig } from './kubeconfig-files.js';
import { AskedCredential, type GivenCredential, type OwnCredential } from './own-credential.js';
import { type PemSource, type TlsSource } from '../http/tls-source.js';

/** The server and the user of a kubeconfig's current context, as far as this library can use them. */
export interface Kubeconfig {
  readonly url: string;
  readonly tls: TlsSource;
  /**
   * @param ofFile makes the credential of a token file
   * @returns `undefined` when the client certificate of the kubeconfig says who we are
   * @throws {ConfigurationError} the user has no credential that is supported
   */
  credential(ofFile: (tokenFile: string) => OwnCredential): OwnCredential | undefined;
}

/**
 * @param place what names the files
 * @throws {ConfigurationError} unreadable, incomplete, or without TLS that is checked
 * @internal
 */
export async function readKubeconfig(
  files: readonly string[],
  place: MistakePlace,
  context: ExecPluginContext,
): Promise<Kubeconfig> {
  const loaded = await loadKubeconfig(files, place);
  const { cluster } = loaded;
  const mistakes = [
    ...(isHttps(cluster.server) ? [] : ['a server with an https URL']),
    ...(cluster.skipTLSVerify ? ['a cluster without insecure-skip-tls-verify'] : []),
    ...(cluster.proxyUrl ? ['a cluster without proxy-url'] : []),
  ];
  if (mistakes.length > 0)
    throw new ConfigurationError(mistakes.map((what) => ({ place, message: `expected ${what}` })));
  return {
    url: cluster.server,
    tls: tlsOf(loaded, place),
    credential: (ofFile) => {
      // Sent without it we would be somebody with more rights.
      if (loaded.isImpersonating)
        throw new ConfigurationError([{ place, message: 'expected a user without impersonation' }]);
      const tokenFile = loaded.tokenFile ?? tokenFileOfProvider(loaded);
      // As in client-go, a file beats a token beside it.
      if (tokenFile !== undefined) return ofFile(tokenFile);
      const ask = askerOf(loaded, place, context, () => loadKubeconfig(files, place));
      return ask && new AskedCredential(ask);
    },
  };
}

type Ask = (afresh: boolean) => Promise<GivenCredential>;

/** In the order of client-go: what stands in the kubeconfig itself comes before a plugin. */
function askerOf(
  loaded: LoadedKubeconfig,
  place: MistakePlace,
  context: ExecPluginContext,
  reload: () => Promise<LoadedKubeconfig>,
): Ask | undefined {
  const { user, exec } = loaded;
  if (typeof user.token === 'string' && user.token !== '') {
    let { token } = user;
    return async (afresh) => {
      if (afresh) token = (await reload()).user.token ?? '';
      return { token };
    };
  }
  if (user.certFile || user.certData) return undefined;
  if (typeof exec?.command === 'string' && exec.interactiveMode !== 'Always') {
    const plugin = new ExecPlugin(exec, context);
    return (afresh) => plugin.credential(afresh);
  }
  if (user.authProvider) return async () => ({ token: await loaded.askAuthProvider() });
  const message =
    'expected a user with a token (a string), a token file, a client certificate, exec that needs no terminal, or an ' +
    'auth provider';
  throw new ConfigurationError([{ place, message }]);
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

/** Data override a file, as in client-go. */
function pem(place: MistakePlace, field: string, file?: string, base64?: string): PemSource | undefined {
  if (base64) return { place, field: `${field}-data`, text: Buffer.from(base64, 'base64').toString('utf8') };
  return file ? { place, field, file } : undefined;
}
