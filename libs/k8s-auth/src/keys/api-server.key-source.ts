import { type ApiServerClient } from '../api-server/api-server.client.js';
import { readOwnUserName, OwnCredentialRefusedError } from '../api-server/own-credential.js';
import { VerifierUnavailableError } from '../errors.js';
import { describeError } from '../util/log.js';
import { SingleFlight } from '../util/timers.js';
import { type UnverifiedClaims } from '../jwt/jwt-claims.js';
import { LEGACY_ISSUER } from '../jwt/service-account-claims.js';
import { checkMetadataIssuer, METADATA_PATH, readIssuerMetadata } from './issuer.key-source.js';
import {
  API_SERVER_JWKS_PATH,
  JwksReader,
  MAX_DOCUMENT_BYTES,
  type Attempt,
  DOCUMENT_ACCEPT,
  type FetchedKeys,
  type KeySource,
  KeySourceError,
  type ReadDocument,
} from './key-source.js';

/** The options of an {@link ApiServerKeySource}. */
export interface ApiServerKeySourceOptions {
  readonly client: Pick<ApiServerClient, 'ownClaims' | 'request'>;
  /** The names of the cluster's issuer. @default the issuer of our own token, or else the issuer in the metadata */
  readonly issuers?: readonly string[];
}

/**
 * Reads from an API server with our own credential. An answer with 403 means that we lack a right.
 * @param toPath returns the path to append to the API server's URL
 * @internal
 */
export function ownReader(
  client: Pick<ApiServerClient, 'ownClaims' | 'request'>,
  toPath: (url: string) => string,
): ReadDocument {
  return async (url, attempt) => {
    const response = await client.request({
      method: 'GET',
      path: toPath(url),
      accept: DOCUMENT_ACCEPT,
      maxBytes: MAX_DOCUMENT_BYTES,
      deadline: attempt,
      // An attempt is one request per document. RefreshedKeys decides when the next attempt is.
      retry: false,
    });
    if (response.status === 403) {
      throw new KeySourceError(
        'API server does not let us read its keys (403): no ClusterRoleBinding grants the ClusterRole ' +
          `system:service-account-issuer-discovery to ${await readOwnUserName(client)}`,
        true,
      );
    }
    return response;
  };
}

/**
 * Reads keys from the two fixed paths of the API server, with our own credential and its CA. Ignores the host of
 * `jwks_uri` in the metadata: usually it is a node's address that pods can neither reach nor trust. The keys verify
 * tokens of every issuer in the list, because all of them are names of this one cluster.
 * @internal
 */
export class ApiServerKeySource implements KeySource {
  private readonly jwks = new JwksReader();
  private readonly read: ReadDocument;
  private readonly fetching = new SingleFlight<'fetch', FetchedKeys>();

  constructor(private readonly options: ApiServerKeySourceOptions) {
    this.read = ownReader(options.client, (url) => new URL(url).pathname);
  }

  /** Calls for the keys of several issuers share one attempt. */
  fetch(attempt: Attempt): Promise<FetchedKeys> {
    return this.fetching.run('fetch', async () => {
      const { client } = this.options;
      const issuers = this.options.issuers ?? (await ownIssuers(client));
      const named = await this.readNamedIssuer(attempt, issuers);
      const response = await this.read(ANY_ORIGIN + API_SERVER_JWKS_PATH, attempt);
      return { issuers: issuers ?? [named], keys: await this.jwks.read(response) };
    });
  }

  private async readNamedIssuer(attempt: Attempt, expected: readonly string[] | undefined): Promise<string> {
    try {
      const { issuer } = await readIssuerMetadata(ANY_ORIGIN + METADATA_PATH, this.read, attempt);
      if (expected) checkMetadataIssuer(issuer, expected, this.options.issuers ? '' : `; ${ISSUER_HINT}`);
      return issuer;
    } catch (error) {
      // Keep the type of the error, because it decides how long the current keys are used. Do not change the error
      // object, because other code may hold it too.
      if (expected || error instanceof OwnCredentialRefusedError) throw error;
      throw withHint(error, ISSUER_HINT);
    }
  }
}

const ISSUER_HINT = "option 'issuer' names the issuer if the API server and our own credential do not";

/** A new error of the same type, with the hint appended to its message. */
function withHint(error: unknown, hint: string): Error {
  if (error instanceof VerifierUnavailableError) {
    const { message, cause, retryAfterMs } = error;
    return new VerifierUnavailableError(`${message}; ${hint}`, { cause, retryAfterMs });
  }
  if (!(error instanceof KeySourceError)) return new KeySourceError(`${describeError(error)}; ${hint}`);
  return new KeySourceError(`${error.message}; ${hint}`, error.isRightMissing, error.retryAfter);
}

/**
 * The issuer of the cluster, from the claims of our own token. Only a bound token of a ServiceAccount names it. A token
 * of a foreign issuer (a cloud login, for example) or a token from a Secret does not.
 * @internal
 */
export function clusterIssuerOf({ iss, sub }: UnverifiedClaims = {}): string | undefined {
  const isOfServiceAccount = typeof sub === 'string' && sub.startsWith('system:serviceaccount:');
  return isOfServiceAccount && typeof iss === 'string' && iss !== '' && iss !== LEGACY_ISSUER
    ? iss
    : undefined;
}

/** The issuer of our own token as a list; `undefined` if our own credential does not name the issuer. @internal */
export async function ownIssuers(
  client: Pick<ApiServerClient, 'ownClaims'>,
): Promise<readonly string[] | undefined> {
  const issuer = clusterIssuerOf(await client.ownClaims());
  return issuer === undefined ? undefined : [issuer];
}

// openid-client requires a full URL. The API server client replaces this origin with the real origin and base path.
const ANY_ORIGIN = 'https://kubernetes.default.svc';

/**
 * Chooses where to read the keys of a configured issuer, if an API server was found that is not configured. If our own
 * API token comes from that issuer, the keys are read from this API server, otherwise from the issuer. Chooses again at
 * each attempt, because the token's file may not exist yet at the first attempt.
 * @internal
 */
export class ApiServerOrIssuerKeySource implements KeySource {
  constructor(
    private readonly issuers: readonly string[],
    private readonly client: Pick<ApiServerClient, 'ownClaims'>,
    private readonly sources: { readonly apiServer: KeySource; readonly issuer: KeySource },
  ) {}

  async fetch(attempt: Attempt): Promise<FetchedKeys> {
    return (await this.isOwnIssuer())
      ? this.sources.apiServer.fetch(attempt)
      : this.sources.issuer.fetch(attempt);
  }

  private async isOwnIssuer(): Promise<boolean> {
    try {
      const iss = (await this.client.ownClaims())?.iss;
      return typeof iss === 'string' && this.issuers.includes(iss);
    } catch {
      // Without our own token we cannot call the API server.
      return false;
    }
  }
}
