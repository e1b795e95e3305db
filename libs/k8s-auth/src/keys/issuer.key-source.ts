import { type ServerMetadata } from 'openid-client';
import { type HttpsClient } from '../http/https-client.js';
import { loggable } from '../util/log.js';
import { isReadableIssuer } from './issuer-keys.options.js';
import { API_SERVER_JWKS_PATH, JwksReader, MAX_DOCUMENT_BYTES } from './jwks.js';
import {
  type Attempt,
  DOCUMENT_ACCEPT,
  documentText,
  type FetchedKeys,
  type KeySource,
  KeySourceError,
  type ReadDocument,
} from './key-source.js';
import { parseUrl } from '../util/syntax.js';

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

/** Keys from the place that option `jwksUri` names, for every issuer: metadata are not asked for. @internal */
export class JwksUriKeySource implements KeySource {
  private readonly jwks = new JwksReader();

  /** @param issuers may throw while they are not known */
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

/** What is used of the discovery document (KEP-1393; OpenID Connect Discovery 1.0 §3). Not yet compared with anything. */
export interface IssuerMetadata {
  readonly issuer: string;
  readonly jwksUri: string;
}

export const METADATA_PATH = '/.well-known/openid-configuration';

// The library asks for one; nothing is ever requested as a client.
const CLIENT_ID = 'nest-k8s-auth';

/**
 * Reads the metadata through openid-client. Given the document's full URL it compares the issuer with nothing, and
 * given less it compares too little (a trailing slash, the scheme's case): the caller has to.
 * @throws {Error} trouble of any kind
 * @internal
 */
export async function readIssuerMetadata(
  url: string,
  read: ReadDocument,
  attempt: Attempt,
): Promise<IssuerMetadata> {
  // Only those who choose discovery pay for loading it.
  const { customFetch, discovery } = await import('openid-client');
  let trouble: unknown;
  const fetchWithin = async (): Promise<Response> => {
    try {
      const text = documentText('issuer metadata', await read(url, attempt));
      return new Response(text, { headers: { 'content-type': 'application/json' } });
    } catch (error) {
      trouble = error;
      throw error;
    }
  };
  try {
    const configuration = await discovery(new URL(url), CLIENT_ID, undefined, undefined, {
      [customFetch]: fetchWithin,
    });
    return readMembers(configuration.serverMetadata());
  } catch (error) {
    // The library wraps what the fetch threw; the reason is ours to know.
    throw trouble ?? error;
  }
}

/** That `issuer` is a string the library has seen to; it leaves the rest as it came. */
function readMembers({
  issuer,
  jwks_uri: jwksUri,
}: Pick<ServerMetadata, 'issuer' | 'jwks_uri'>): IssuerMetadata {
  if (typeof jwksUri !== 'string' || !parseUrl(jwksUri)) {
    throw new KeySourceError('issuer metadata: expected "jwks_uri" to be a URL');
  }
  return { issuer, jwksUri };
}

/** As {@link checkIssuer} does with a token's: byte for byte (OpenID Connect Discovery 1.0 §4.3). @internal */
export function checkMetadataIssuer(issuer: string, expected: readonly string[], hint = ''): void {
  if (expected.includes(issuer)) return;
  const wanted = expected.map((one) => loggable(one)).join(' or ');
  throw new KeySourceError(`issuer metadata: expected issuer ${wanted}, got ${loggable(issuer)}${hint}`);
}
