import { type ApiServerClient } from '../api-server/api-server.client.js';
import { nameOfSelf, OwnCredentialRefusedError } from '../api-server/own-credential.js';
import { VerifierUnavailableError } from '../errors.js';
import { describeError } from '../util/log.js';
import { SingleFlight } from '../util/single-flight.js';
import { type UnverifiedClaims } from '../jwt/jwt-claims.js';
import { LEGACY_ISSUER } from '../jwt/service-account-claims.js';
import { checkMetadataIssuer, METADATA_PATH, readIssuerMetadata } from './issuer.key-source.js';
import { API_SERVER_JWKS_PATH, JwksReader, MAX_DOCUMENT_BYTES } from './jwks.js';
import {
  type Attempt,
  DOCUMENT_ACCEPT,
  type FetchedKeys,
  type KeySource,
  KeySourceError,
  type ReadDocument,
} from './key-source.js';

/** An API server, as a source of its own keys. */
export interface ApiServerKeySourceOptions {
  readonly client: Pick<ApiServerClient, 'ownClaims' | 'request'>;
  /** The names of the cluster's issuer. Omitted: that of the own token, or the one that the metadata names. */
  readonly issuers?: readonly string[];
}

/**
 * Reads as ourselves from an API server. The answer with 403 is a missing right of ours.
 * @param toPath what to put behind the API server's URL
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
      // An attempt is one request per document: when the next one is, is decided elsewhere.
      retry: false,
    });
    if (response.status === 403) {
      throw new KeySourceError(
        'API server does not let us read its keys (403): no ClusterRoleBinding grants the ClusterRole ' +
          `system:service-account-issuer-discovery to ${await nameOfSelf(client)}`,
        true,
      );
    }
    return response;
  };
}

/**
 * Keys from the API server, by its two fixed paths, with the own credential and CA. The host that its metadata names
 * for the keys does not matter: usually it is a node's address that pods can neither reach nor trust. They count for
 * every issuer of the list, because all of them are names of this one cluster.
 * @internal
 */
export class ApiServerKeySource implements KeySource {
  private readonly jwks = new JwksReader();
  private readonly read: ReadDocument;
  private readonly fetching = new SingleFlight<'fetch', FetchedKeys>();

  constructor(private readonly options: ApiServerKeySourceOptions) {
    this.read = ownReader(options.client, (url) => new URL(url).pathname);
  }

  /** Those who wait for the keys of several issuers share one attempt. */
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
      if (expected) checkMetadataIssuer(issuer, expected, this.options.issuers ? '' : `; ${NAME_ISSUER}`);
      return issuer;
    } catch (error) {
      // What kind of error it is says what becomes of the keys that are held, and others may hold the error too.
      if (expected || error instanceof OwnCredentialRefusedError) throw error;
      throw withHint(error, NAME_ISSUER);
    }
  }
}

const NAME_ISSUER = "option 'issuer' names the issuer where the API server and the own credential do not";

/** An error of the same kind that says more. */
function withHint(error: unknown, hint: string): Error {
  if (error instanceof VerifierUnavailableError) {
    const { message, cause, retryAfterMs } = error;
    return new VerifierUnavailableError(`${message}; ${hint}`, { cause, retryAfterMs });
  }
  if (!(error instanceof KeySourceError)) return new KeySourceError(`${describeError(error)}; ${hint}`);
  return new KeySourceError(`${error.message}; ${hint}`, error.isRightMissing, error.retryAfter);
}

/**
 * The issuer of the cluster, as far as the own token tells: a bound token of a ServiceAccount does. One of a cloud
 * login or another token of a foreign issuer does not, nor does one from a Secret.
 * @internal
 */
export function clusterIssuerOf({ iss, sub }: UnverifiedClaims = {}): string | undefined {
  const isOfServiceAccount = typeof sub === 'string' && sub.startsWith('system:serviceaccount:');
  return isOfServiceAccount && typeof iss === 'string' && iss !== '' && iss !== LEGACY_ISSUER
    ? iss
    : undefined;
}

/** As a list; `undefined` when the own credential does not tell. @internal */
export async function ownIssuers(
  client: Pick<ApiServerClient, 'ownClaims'>,
): Promise<readonly string[] | undefined> {
  const issuer = clusterIssuerOf(await client.ownClaims());
  return issuer === undefined ? undefined : [issuer];
}

// openid-client wants a URL; the client knows the real origin, and the path in front of ours.
const ANY_ORIGIN = 'https://kubernetes.default.svc';

/**
 * For an issuer that is configured and an API server that merely happens to be there: when our own API token is of
 * that issuer, the issuer is this API server. Asked anew at each attempt, because the token's file may not be there
 * yet at the first.
 * @internal
 */
export class ChosenKeySource implements KeySource {
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
      // Without the token the API server could not be asked anyway.
      return false;
    }
  }
}
