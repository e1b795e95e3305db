import { type ServerMetadata } from 'openid-client';
import { parseUrl } from '../util/syntax.js';
import { type Attempt, documentText, KeySourceError, type ReadDocument } from './key-source.js';

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
