import { type ServerMetadata } from 'openid-client';
import { type HttpsClient } from '../http/https-client.js';
import { loggable } from '../util/log.js';
import { isReadableIssuer } from './issuer-keys.options.js';
import {
  API_SERVER_JWKS_PATH,
  JwksReader,
  MAX_DOCUMENT_BYTES,
  type Attempt,
  DOCUMENT_ACCEPT,
  documentText,
  type FetchedKeys,
  type KeySource,
  KeySourceError,
  type ReadDocument,
} from './key-source.js';
import { parseUrl } from '../util/syntax.js';

/** Reads a document without any credential. @internal */
export function anonymousReader(https: Pick<HttpsClient, 'request'>): ReadDocument {
  const headers = { accept: DOCUMENT_ACCEPT, 'accept-encoding': 'identity' };
  return (url, attempt) =>
    https.request({ method: 'GET', url, headers, deadline: attempt, maxBytes: MAX_DOCUMENT_BYTES });
}

/**
 * Reads the keys of one issuer from the issuer itself: a managed cluster's public issuer, or an API server that allows
 * anonymous reads. The keys verify only tokens of this issuer.
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
    const metadata = await readIssuerMetadata(appendToIssuer(issuer, METADATA_PATH), read, attempt);
    checkMetadataIssuer(metadata.issuer, [issuer]);
    const { url, isJwksUriUsed } = locateJwks(issuer, metadata.jwksUri);
    const response = await read(url, attempt);
    if (response.status !== 200 && !isJwksUriUsed) {
      throw new KeySourceError(
        `key set: expected status 200 of ${loggable(url)}, got ${response.status}; "jwks_uri" of the issuer metadata ` +
          `is ${loggable(metadata.jwksUri)}, and keys at another origin need option 'jwksUri'`,
        false,
        response.header('retry-after'),
      );
    }
    return { issuers: [issuer], keys: await this.jwks.read(response) };
  }
}

/** Reads keys for every issuer from the URL in option `jwksUri`, without requesting metadata. @internal */
export class JwksUriKeySource implements KeySource {
  private readonly jwks = new JwksReader();

  /** @param issuers returns the issuers; may throw while they are unknown */
  constructor(
    private readonly jwksUri: string,
    private readonly issuers: () => Promise<readonly string[]>,
    private readonly read: ReadDocument,
  ) {}

  async fetch(attempt: Attempt): Promise<FetchedKeys> {
    const issuers = await this.issuers();
    return { issuers, keys: await this.jwks.read(await this.read(this.jwksUri, attempt)) };
  }
}

/** @internal */
export const UNREADABLE_ISSUER =
  "option 'issuer': expected https URLs without query, because keys are read from them";

/** Appends a path to an issuer, without a double slash (OpenID Connect Discovery 1.0 §4.1). @internal */
export function appendToIssuer(issuer: string, path: string): string {
  return issuer.replace(/\/$/, '') + path;
}

/**
 * The URL of the key set of an issuer that is read directly.
 *
 * - A `jwks_uri` at the issuer's own origin is used.
 * - A `jwks_uri` at another origin is not used: the issuer's metadata must not redirect us to other servers, and an API
 *   server usually writes a node's address there. The keys are then read at the issuer's URL plus the path of an API
 *   server's key set. The path of the issuer is kept, because one host may serve several clusters.
 * - The path of an API server's key set at the root of the issuer's own host is not used either: an API server does not
 *   know the path under which a proxy serves it.
 * @internal
 */
export function locateJwks(
  issuer: string,
  jwksUri: string,
): { readonly url: string; readonly isJwksUriUsed: boolean } {
  const { origin, pathname, search } = new URL(jwksUri);
  const isJwksUriUsed = origin === new URL(issuer).origin && pathname !== API_SERVER_JWKS_PATH;
  return {
    url: isJwksUriUsed ? origin + pathname + search : appendToIssuer(issuer, API_SERVER_JWKS_PATH),
    isJwksUriUsed,
  };
}

/** The used members of the metadata (KEP-1393; OpenID Connect Discovery 1.0 §3). The issuer is **not** checked yet. */
export interface IssuerMetadata {
  readonly issuer: string;
  readonly jwksUri: string;
}

export const METADATA_PATH = '/.well-known/openid-configuration';

// openid-client requires a client ID, but it is never sent.
const CLIENT_ID = 'nest-k8s-auth';

/**
 * Reads the metadata through openid-client. The caller must compare the issuer: openid-client does not compare it when
 * it gets the document's full URL, and otherwise ignores a trailing slash and the case of the scheme.
 * @throws {Error} any failure to read the metadata
 * @internal
 */
export async function readIssuerMetadata(
  url: string,
  read: ReadDocument,
  attempt: Attempt,
): Promise<IssuerMetadata> {
  // Imported here, so that only services that use discovery load it.
  const { customFetch, discovery } = await import('openid-client');
  let failure: unknown;
  const fetchWithin = async (): Promise<Response> => {
    try {
      const text = documentText('issuer metadata', await read(url, attempt));
      return new Response(text, { headers: { 'content-type': 'application/json' } });
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    const configuration = await discovery(new URL(url), CLIENT_ID, undefined, undefined, {
      [customFetch]: fetchWithin,
    });
    return readMembers(configuration.serverMetadata());
  } catch (error) {
    // openid-client wraps the error of the fetch; throw the original.
    throw failure ?? error;
  }
}

/** openid-client has checked only that `issuer` is a string. */
function readMembers({
  issuer,
  jwks_uri: jwksUri,
}: Pick<ServerMetadata, 'issuer' | 'jwks_uri'>): IssuerMetadata {
  if (typeof jwksUri !== 'string' || !parseUrl(jwksUri)) {
    throw new KeySourceError('issuer metadata: expected "jwks_uri" to be a URL');
  }
  return { issuer, jwksUri };
}

/** Compares byte for byte, like the `iss` of a token (OpenID Connect Discovery 1.0 §4.3). @internal */
export function checkMetadataIssuer(issuer: string, expected: readonly string[], hint = ''): void {
  if (expected.includes(issuer)) return;
  const wanted = expected.map((one) => loggable(one)).join(' or ');
  throw new KeySourceError(`issuer metadata: expected issuer ${wanted}, got ${loggable(issuer)}${hint}`);
}
