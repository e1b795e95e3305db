import { type ReloadingHttpsClient } from '../http/reloading-https-client.js';
import { loggable } from '../util/log.js';
import { readIssuerMetadata, METADATA_PATH } from './issuer-metadata.js';
import { belowIssuer, locateJwks } from './jwks-location.js';
import { JwksReader, MAX_DOCUMENT_BYTES } from './jwks.js';
import {
  type Attempt,
  checkMetadataIssuer,
  DOCUMENT_ACCEPT,
  type IssuerKeys,
  type KeySource,
  KeySourceTrouble,
  type ReadDocument,
} from './key-source.js';
import { isHttpsUrl } from '../verifiers/oidc-discovery/oidc-discovery.options.js';

/** Reads a document as nobody in particular: there is no token that could go along. @internal */
export function anonymousReader(https: Pick<ReloadingHttpsClient, 'request'>): ReadDocument {
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

  async fetch(attempt: Attempt): Promise<IssuerKeys> {
    const { issuer, read } = this;
    if (!isReadableIssuer(issuer)) throw new KeySourceTrouble(UNREADABLE_ISSUER);
    const metadata = await readIssuerMetadata(belowIssuer(issuer, METADATA_PATH), read, attempt);
    checkMetadataIssuer(metadata.issuer, [issuer]);
    const { url, isAsNamed } = locateJwks(issuer, metadata.jwksUri);
    const response = await read(url, attempt);
    if (response.status !== 200 && !isAsNamed) {
      throw new KeySourceTrouble(
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

/** @internal */
export function isReadableIssuer(issuer: string): boolean {
  return isHttpsUrl(issuer) && !/[?#]/.test(issuer);
}
