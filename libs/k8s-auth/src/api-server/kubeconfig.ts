import type { Cluster, User } from '@kubernetes/client-node';
import { ConfigurationError } from '../errors/index.js';
import { loadKubeconfig, type LoadedKubeconfig } from './kubeconfig-files.js';
import { AskedCredential, type OwnCredential } from './own-credential.js';
import { type PemSource, type TlsSource } from './tls-source.js';

/** The server and the user of a kubeconfig's current context, as far as this library can use them. */
export interface Kubeconfig {
  readonly url: string;
  readonly tls: TlsSource;
  /**
   * @param ofFile makes the credential of a token file
   * @returns `undefined` when the client certificate says who we are
   * @throws {ConfigurationError} the user has no credential that is supported
   */
  credential(ofFile: (tokenFile: string) => OwnCredential): OwnCredential | undefined;
}

/**
 * @param name what the user calls the files
 * @throws {ConfigurationError} unreadable, incomplete, or without TLS that is checked
 * @internal
 */
export async function readKubeconfig(files: readonly string[], name: string): Promise<Kubeconfig> {
  const loaded = await loadKubeconfig(files, name);
  const { cluster } = loaded;
  const mistakes = [
    ...(isHttps(cluster.server) ? [] : ['a server with an https URL']),
    ...(cluster.skipTLSVerify ? ['a cluster without insecure-skip-tls-verify'] : []),
    ...(cluster.proxyUrl ? ['a cluster without proxy-url'] : []),
  ];
  if (mistakes.length > 0) throw new ConfigurationError(mistakes.map((what) => `${name}: expected ${what}`));
  return {
    url: cluster.server,
    tls: tlsOf(loaded, name),
    credential: (ofFile) => credentialOf(loaded, files, name, ofFile),
  };
}

function credentialOf(
  loaded: LoadedKubeconfig,
  files: readonly string[],
  name: string,
  ofFile: (tokenFile: string) => OwnCredential,
): OwnCredential | undefined {
  const { user } = loaded;
  // Sent without it we would be somebody with more rights.
  if (user.impersonateUser) throw new ConfigurationError([`${name}: expected a user without impersonation`]);
  const tokenFile = loaded.tokenFile ?? tokenFileOfProvider(user);
  // As in client-go, a file beats a token beside it.
  if (tokenFile !== undefined) return ofFile(tokenFile);
  if (user.token || user.exec || user.authProvider) return askedCredential(loaded, files, name);
  if (user.certFile || user.certData) return undefined;
  throw new ConfigurationError([
    `${name}: expected a user with a token, a token file, a client certificate, exec or an auth provider`,
  ]);
}

/** After a 401 the files are read again, which also forgets what a plugin gave. */
function askedCredential(first: LoadedKubeconfig, files: readonly string[], name: string): OwnCredential {
  let loaded = first;
  return new AskedCredential(async (afresh) => {
    if (afresh) loaded = await loadKubeconfig(files, name);
    return loaded.askForToken();
  });
}

function tokenFileOfProvider({ authProvider }: User): string | undefined {
  const file = (authProvider as { config?: { tokenFile?: unknown } } | null | undefined)?.config?.tokenFile;
  return typeof file === 'string' ? file : undefined;
}

function isHttps(server: string): boolean {
  return URL.canParse(server) && new URL(server).protocol === 'https:';
}

function tlsOf({ cluster, user }: { cluster: Cluster; user: User }, name: string): TlsSource {
  const ca = pem(`${name}: certificate-authority`, cluster.caFile, cluster.caData);
  const cert = pem(`${name}: client-certificate`, user.certFile, user.certData);
  const key = pem(`${name}: client-key`, user.keyFile, user.keyData);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
  };
}

function pem(name: string, file?: string, base64?: string): PemSource | undefined {
  if (file) return { name, file };
  return base64 ? { name, text: Buffer.from(base64, 'base64').toString('utf8') } : undefined;
}
