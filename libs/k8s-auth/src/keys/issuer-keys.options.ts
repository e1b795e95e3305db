import * as z from 'zod';
import {
  type ApiServerOptions,
  apiServerOptionsSchema,
  apiServerVariables,
} from '../api-server/api-server.options.js';
import { parseUrl } from '../util/syntax.js';

/** Where the keys of an issuer are read from; see docs/configuration.md. @publicApi */
export interface IssuerKeysOptions {
  /**
   * Accepted as `iss`, compared byte for byte. Use a list while a cluster changes its issuer: the metadata may name any
   * of them. Keys of the API server verify tokens of every issuer in the list. If keys are read from the issuers
   * themselves, the keys of an issuer verify only its own tokens, and an unreachable issuer affects only its own
   * tokens.
   * @default the `iss` of our own API token. If the credential does not name the issuer (a client certificate, an opaque
   * token, a token of a foreign issuer or from a Secret), the issuer in the API server's metadata
   */
  readonly issuer?: string | readonly string[];

  /** URL of one key set for all issuers. If set, the metadata is not requested. `https` only. */
  readonly jwksUri?: string;

  /**
   * PEM file of the issuer's CA, if the issuer is not the API server. Each certificate in it is a trust anchor, even an
   * intermediate CA. @default the system's root certificates
   */
  readonly caFile?: string;

  /** If set, keys are read from this API server with our own credential, and the issuer's address is not used. */
  readonly apiServer?: ApiServerOptions;
}

const EXPECTED_ISSUER = 'expected an issuer or a list of issuers';

const issuer = z.string(EXPECTED_ISSUER).min(1, EXPECTED_ISSUER);

/** One issuer or several. @internal */
export const issuerSchema = z.union([issuer, z.array(issuer).min(1, EXPECTED_ISSUER).readonly()], {
  error: EXPECTED_ISSUER,
});

/** The members of a verifier's schema for these options. @internal */
export const issuerKeysShape = {
  issuer: issuerSchema.optional(),
  jwksUri: z.string().refine(isHttpsUrl, 'expected an https URL without user name or fragment').optional(),
  caFile: z.string().min(1, 'expected a path, not an empty one').optional(),
  apiServer: apiServerOptionsSchema.optional(),
};

/** The environment variables that set these options. @internal */
export const issuerKeysVariables = [
  { option: 'issuer', variable: 'K8S_AUTH_ISSUER', type: 'list' },
  { option: 'jwksUri', variable: 'K8S_AUTH_JWKS_URI', type: 'text' },
  { option: 'caFile', variable: 'K8S_AUTH_CA_FILE', type: 'text' },
  ...apiServerVariables,
] as const;

/** @internal */
export function issuersOf(issuers: string | readonly string[]): readonly string[] {
  return [...new Set([issuers].flat())];
}

/** Whether the metadata can be read from this issuer. @internal */
export function isReadableIssuer(text: string): boolean {
  return isHttpsUrl(text) && !/[?#]/.test(text);
}

function isHttpsUrl(text: string): boolean {
  const url = parseUrl(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
}
