import { type ApiServerClient } from '../../api-server/api-server.client.js';
import { METADATA_PATH, readIssuerMetadata } from './issuer-metadata.js';
import { API_SERVER_JWKS_PATH, JWKS_ACCEPT, MAX_DOCUMENT_BYTES, readJwks } from './jwks.js';
import {
  type Attempt,
  checkMetadataIssuer,
  type IssuerKeys,
  type KeySource,
  KeySourceTrouble,
  type ReadDocument,
} from './key-source.js';

/** An API server, as a source of its own keys. */
export interface ApiServerKeySourceOptions {
  readonly client: Pick<ApiServerClient, 'ownClaims' | 'request'>;
  /** Omitted: the `iss` of the own token, or what the metadata names. */
  readonly issuers?: readonly string[];
  /** Reads the keys instead of {@link API_SERVER_JWKS_PATH} and the metadata. */
  readonly readJwksElsewhere?: (attempt: Attempt) => ReturnType<ReadDocument>;
}

/**
 * Reads as ourselves from an API server. The answer with 403 is a missing right of ours.
 * @param toPath what to put behind the API server's URL
 * @internal
 */
export function ownReader(
  client: Pick<ApiServerClient, 'request'>,
  toPath: (url: string) => string,
): ReadDocument {
  return async (url, accept, attempt) => {
    const response = await client.request({
      method: 'GET',
      path: toPath(url),
      accept,
      maxBytes: MAX_DOCUMENT_BYTES,
      timeoutMs: attempt.remainingMs(),
      // An attempt is one request per document: when the next one is, is decided elsewhere.
      retry: false,
    });
    if (response.status === 403) {
      throw new KeySourceTrouble(
        'API server does not let us read its keys (403): ClusterRole system:service-account-issuer-discovery is missing',
        true,
      );
    }
    return response;
  };
}

/**
 * Keys from the API server, by its two fixed paths, with the own token and CA. The host that its metadata names for
 * the keys does not matter: usually it is a node's address that pods can neither reach nor trust.
 * @internal
 */
export class ApiServerKeySource implements KeySource {
  private readonly read: ReadDocument;

  constructor(private readonly options: ApiServerKeySourceOptions) {
    this.read = ownReader(options.client, (url) => new URL(url).pathname);
  }

  async fetch(attempt: Attempt): Promise<IssuerKeys> {
    const { issuers, readJwksElsewhere } = this.options;
    const expected = issuers?.[0] ?? (await this.ownIssuer());
    if (readJwksElsewhere) {
      if (expected === undefined) {
        throw new KeySourceTrouble("option 'issuer': expected, because the own credential names none");
      }
      return { issuers: issuers ?? [expected], keys: readJwks(await readJwksElsewhere(attempt)) };
    }
    const { issuer } = await readIssuerMetadata(ANY_ORIGIN + METADATA_PATH, this.read, attempt);
    if (expected !== undefined) checkMetadataIssuer(issuer, expected);
    const keys = readJwks(await this.read(ANY_ORIGIN + API_SERVER_JWKS_PATH, JWKS_ACCEPT, attempt));
    return { issuers: issuers ?? [issuer], keys };
  }

  private async ownIssuer(): Promise<string | undefined> {
    const iss = (await this.options.client.ownClaims())?.iss;
    return typeof iss === 'string' && iss !== '' ? iss : undefined;
  }
}

// openid-client wants a URL; the client knows the real origin, and the path in front of ours.
const ANY_ORIGIN = 'https://kubernetes.default.svc';
