import { z } from 'zod';
import { parseUrl } from '../../util/url.js';
import { type ApiServerOptions, apiServerOptionsSchema } from '../../api-server/api-server.options.js';
import { clockToleranceMsSchema, issuerSchema } from '../jwt.options.js';

/**
 * Verifies signatures with the keys that the issuer publishes (KEP-1393): the API server's own discovery, or the
 * issuer's. A deleted ServiceAccount or pod stays known until its token's `exp`.
 * @publicApi
 */
export interface OidcDiscoveryOptions {
  readonly kind: 'oidc-discovery';

  /**
   * Accepted as `iss`, byte for byte; a list while a cluster changes its issuer: the metadata may name any of them.
   * Keys of the API server verify tokens of every issuer in the list; an issuer that is read itself has keys of its
   * own, and one that does not answer is a failure for its own tokens only.
   * @default the `iss` of the own API token; where the credential does not tell (a client certificate, an opaque token,
   * a token of a foreign issuer or of a Secret), the issuer that the API server's metadata names
   */
  readonly issuer?: string | readonly string[];

  /** Where the keys of all issuers are, when not where discovery says; metadata is then not requested. `https` only. */
  readonly jwksUri?: string;

  /**
   * PEM file of the issuer's CA, when the issuer is not the API server. Each certificate in it is a trust anchor, an
   * intermediate CA too. @default the system's roots
   */
  readonly caFile?: string;

  /** Reads from this API server, with the own token and its CA, whatever the issuer's address. */
  readonly apiServer?: ApiServerOptions;

  /**
   * How far `exp`, `nbf` and `iat` may be off, in milliseconds.
   * @default 30000
   * minimum 0, maximum 60000
   */
  readonly clockToleranceMs?: number;
}

/** @internal */
export const oidcDiscoveryOptionsSchema: z.ZodType<OidcDiscoveryOptions> = z.strictObject({
  kind: z.literal('oidc-discovery'),
  issuer: issuerSchema.optional(),
  jwksUri: z.string().refine(isHttpsUrl, 'expected an https URL without user name or fragment').optional(),
  caFile: z.string().min(1, 'expected a path, not an empty one').optional(),
  apiServer: apiServerOptionsSchema.optional(),
  clockToleranceMs: clockToleranceMsSchema.optional(),
});

/** @internal */
export function isHttpsUrl(text: string): boolean {
  const url = parseUrl(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
}
