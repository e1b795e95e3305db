import { type ReloadingHttpsClient } from '../../api-server/reloading-https-client.js';
import { readIssuerMetadata, METADATA_PATH } from './issuer-metadata.js';
import { locateJwks } from './jwks-location.js';
import { JWKS_ACCEPT, MAX_DOCUMENT_BYTES, readJwks } from './jwks.js';
import {
  type Attempt,
  checkMetadataIssuer,
  type IssuerKeys,
  type KeySource,
  KeySourceTrouble,
  type ReadDocument,
} from './key-source.js';
import { isHttpsUrl } from './oidc-discovery.options.js';

export interface IssuerKeySourceOptions {
  /** The first is where to read, and the one that the metadata must name. */
  readonly issuers: readonly string[];
  readonly jwksUri?: string;
}

/** Reads a document as nobody in particular: there is no token that could go along. @internal */
export function anonymousReader(https: Pick<ReloadingHttpsClient, 'request'>): ReadDocument {
  return (url, accept, { signal }) =>
    https.request({ method: 'GET', url, headers: { accept }, signal, maxBytes: MAX_DOCUMENT_BYTES });
}

/** Keys from the issuer itself: a managed cluster's public one, or an API server that lets everybody read. @internal */
export class IssuerKeySource implements KeySource {
  constructor(
    private readonly options: IssuerKeySourceOptions,
    private readonly read: ReadDocument,
  ) {}

  async fetch(attempt: Attempt): Promise<IssuerKeys> {
    const { issuers, jwksUri } = this.options;
    const url = jwksUri ?? (await this.discoverJwks(attempt));
    return { issuers, keys: readJwks(await this.read(url, JWKS_ACCEPT, attempt)) };
  }

  private async discoverJwks(attempt: Attempt): Promise<string> {
    const [issuer = ''] = this.options.issuers;
    if (!isReadableIssuer(issuer)) throw new KeySourceTrouble(UNREADABLE_ISSUER);
    // OpenID Connect Discovery 1.0 §4.1: a terminating slash goes before the path is added.
    const metadata = await readIssuerMetadata(issuer.replace(/\/$/, '') + METADATA_PATH, this.read, attempt);
    checkMetadataIssuer(metadata.issuer, issuer);
    return locateJwks(issuer, metadata.jwksUri);
  }
}

/** @internal */
export const UNREADABLE_ISSUER =
  "option 'issuer': expected the first to be an https URL without query, because keys are read from it";

/** @internal */
export function isReadableIssuer(issuer: string): boolean {
  return isHttpsUrl(issuer) && !/[?#]/.test(issuer);
}
