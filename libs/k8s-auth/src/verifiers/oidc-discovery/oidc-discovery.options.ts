import { z } from 'zod';
import { type IssuerKeysOptions, issuerKeysShape } from '../../keys/issuer-keys.options.js';
import { clockToleranceMsSchema } from '../jwt.verifier.js';

/**
 * Verifies signatures with the keys that the issuer publishes (KEP-1393): the API server's own discovery, or the
 * issuer's. The tokens of a deleted ServiceAccount or pod stay valid until their `exp`.
 * @publicApi
 */
export interface OidcDiscoveryOptions extends IssuerKeysOptions {
  readonly kind: 'oidc-discovery';

  /**
   * How far `exp`, `nbf` and `iat` may be off, in milliseconds.
   * @default 30000
   * @minimum 0
   * @maximum 60000
   */
  readonly clockToleranceMs?: number;
}

/** @internal */
export const oidcDiscoveryOptionsSchema: z.ZodType<OidcDiscoveryOptions> = z.strictObject({
  kind: z.literal('oidc-discovery'),
  ...issuerKeysShape,
  clockToleranceMs: clockToleranceMsSchema.optional(),
});
