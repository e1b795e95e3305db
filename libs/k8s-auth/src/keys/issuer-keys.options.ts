import { z } from 'zod';
import {
  type ApiServerOptions,
  apiServerOptionsSchema,
  apiServerVariables,
} from '../api-server/api-server.options.js';
import { parseUrl } from '../util/syntax.js';

/** Where the keys of an issuer are read from, see api.md and docs/configuration.md. @publicApi */
export interface IssuerKeysOptions {
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
}

const EXPECTED_ISSUER = 'expected an issuer or a list of issuers';

const issuer = z.string(EXPECTED_ISSUER).min(1, EXPECTED_ISSUER);

/** One issuer or several. @internal */
export const issuerSchema = z.union([issuer, z.array(issuer).min(1, EXPECTED_ISSUER).readonly()], {
  error: EXPECTED_ISSUER,
});

/** The members of a verifier's schema. @internal */
export const issuerKeysShape = {
  issuer: issuerSchema.optional(),
  jwksUri: z.string().refine(isHttpsUrl, 'expected an https URL without user name or fragment').optional(),
  caFile: z.string().min(1, 'expected a path, not an empty one').optional(),
  apiServer: apiServerOptionsSchema.optional(),
};

/** The environment variables that fill these options. @internal */
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

/** Whether discovery can be read from it. @internal */
export function isReadableIssuer(text: string): boolean {
  return isHttpsUrl(text) && !/[?#]/.test(text);
}

function isHttpsUrl(text: string): boolean {
  const url = parseUrl(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
}
