import * as z from 'zod';
import { openIssuerKeys } from '../../keys/issuer-keys.js';
import {
  type IssuerKeysOptions,
  issuerKeysShape,
  issuerKeysVariables,
} from '../../keys/issuer-keys.options.js';
import { clockToleranceMsSchema, DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../jwt.verifier.js';
import { observed } from '../observed.js';
import { VerdictCache } from '../verdict-cache.js';
import { type VerifierDefinition } from '../verifier.js';

/**
 * Verifies signatures with the keys that the issuer publishes (KEP-1393), at the API server or at the issuer's own URL.
 * The tokens of a deleted ServiceAccount or pod stay valid until their `exp`.
 * @publicApi
 */
export interface OidcDiscoveryOptions extends IssuerKeysOptions {
  readonly kind: 'oidc-discovery';

  /**
   * The clock tolerance for `exp`, `nbf` and `iat`, milliseconds.
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

/** Verifies signatures locally, with the keys that the issuer publishes. @internal */
export const oidcDiscoveryDefinition: VerifierDefinition<OidcDiscoveryOptions> = {
  kind: 'oidc-discovery',
  schema: oidcDiscoveryOptionsSchema,
  variables: [
    ...issuerKeysVariables,
    { option: 'clockToleranceMs', variable: 'K8S_AUTH_CLOCK_TOLERANCE_MS', type: 'integer' },
  ],
  async create({ kind, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS, ...options }, context) {
    const { clock, checks } = context;
    const { keys, apiServerAudiences, summary, close } = await openIssuerKeys(options, context);
    const { verify } = new JwtVerifier(keys, { kind, clock, clockToleranceMs }, checks);
    const cache = new VerdictCache(observed(verify, kind, context.events), { clock });
    return {
      verify: cache.verify,
      start: () => keys.start(),
      readiness: () => keys.readiness(),
      statistics: () => ({ ...cache.counts, keys: keys.statistics() }),
      apiServerAudiences,
      summary,
      close: () => {
        cache.clear();
        return close();
      },
    };
  },
};
