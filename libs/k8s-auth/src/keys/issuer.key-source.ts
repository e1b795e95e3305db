import { type HttpsClient } from '../http/https-client.js';
import { loggable } from '../util/log.js';
import { isReadableIssuer } from './issuer-keys.options.js';
import { METADATA_PATH, readIssuerMetadata } from './issuer-metadata.js';
import { API_SERVER_JWKS_PATH, JwksReader, MAX_DOCUMENT_BYTES } from './jwks.js';
import {
  type Attempt,
  checkMetadataIssuer,
  DOCUMENT_ACCEPT,
  type FetchedKeys,
  type KeySource,
  KeySourceError,
  type ReadDocument,
} from './key-source.js';

/** Reads a document as nobody in particular: there is no token that could go along. @internal */
export function anonymousReader(https: Pick<HttpsClient, 'request'>): ReadDocument {
  const headers = { accept: DOCUMENT_ACCEPT, 'accept-encoding': 'identity' };
  return (url, attempt) =>
    https.request({ method: 'GET', url, headers, deadline: attempt, maxBytes: MAX_DOCUMENT_BYTES });
}

/**
 * Keys from one issuer itself: a managed cluster's public one, or an API server that lets everybody read. They count
 * for this issuer only.
 * @internal
 */
export class IssuerKeySource implements KeySource {
  private readonly jwks = new JwksReader();

  constructor(
    private readonly issuer: string,
    private readonly read: ReadDocument,
  ) {}

  async fetch(attempt: Attempt): Promise<FetchedKeys> {
    const { issuer, read } = this;
    if (!isReadableIssuer(issuer)) throw new KeySourceError(UNREADABLE_ISSUER);
    const metadata = await readIssuerMetadata(belowIssuer(issuer, METADATA_PATH), read, attempt);
    checkMetadataIssuer(metadata.issuer, [issuer]);
    const { url, isAsNamed } = locateJwks(issuer, metadata.jwksUri);
    const response = await read(url, attempt);
    if (response.status !== 200 && !isAsNamed) {
      throw new KeySourceError(
        `key set: expected status 200 of ${loggable(url)}, got ${response.status}; "jwks_uri" of the issuer metadata ` +
          `is ${loggable(metadata.jwksUri)}, and keys at another origin take option 'jwksUri'`,
        false,
        response.headers['retry-after'],
      );
    }
    return { issuers: [issuer], keys: await this.jwks.read(response) };
  }
}

/** @internal */
export const UNREADABLE_ISSUER =
  "option 'issuer': expected https URLs without query, because keys are read from them";

/** A path below an issuer (OpenID Connect Discovery 1.0 §4.1: a terminating slash goes before the path is added). @internal */
export function belowIssuer(issuer: string, path: string): string {
  return issuer.replace(/\/$/, '') + path;
}

/**
 * Where the keys of an issuer are that is read directly. A `jwks_uri` at the issuer's own origin is read as named. One
 * at another origin is not: what answers for the issuer must not send us to others, and an API server names its own
 * address there, a node's usually. The keys are then read where an API server has them below the issuer, its path
 * included, because a host may serve several clusters. The same holds for an API server whose address happens to be
 * the issuer's host: the path in front of it is not known to it.
 * @internal
 */
export function locateJwks(
  issuer: string,
  jwksUri: string,
): { readonly url: string; readonly isAsNamed: boolean } {
  const { origin, pathname, search } = new URL(jwksUri);
  const isAsNamed = origin === new URL(issuer).origin && pathname !== API_SERVER_JWKS_PATH;
  return {
    url: isAsNamed ? origin + pathname + search : belowIssuer(issuer, API_SERVER_JWKS_PATH),
    isAsNamed,
  };
}
