import { z } from 'zod';
import { type IssuerKeysOptions, issuerKeysShape } from '../../keys/issuer-keys.options.js';
import { clockToleranceMsSchema } from '../jwt.verifier.js';
import { reviewTimeoutMsSchema } from '../reviews/reviewer.js';

/** What to do with a genuine token while the API server cannot say whether it still stands. @publicApi */
export type WhenUnavailable = 'refuse' | 'accept-until-expiry';

/**
 * Verifies signatures like `oidc-discovery`, and has the API server review each token at most once per
 * `revocationCheckMs`: so a deleted pod, ServiceAccount or node is noticed, and requests wait for a review only when
 * their token is new here. Needs the right to create tokenreviews (ClusterRole `system:auth-delegator`).
 * @publicApi
 */
export interface HybridOptions extends IssuerKeysOptions {
  readonly kind: 'hybrid';

  /**
   * How far `exp`, `nbf` and `iat` may be off, in milliseconds.
   * @default 30000
   * @minimum 0
   * @maximum 60000
   */
  readonly clockToleranceMs?: number;

  /**
   * How long the API server's answer about a token is used, milliseconds. A revoked token is refused at the latest this
   * time plus the 10 s for which the API server itself may remember its answer after the deletion.
   * @default 60000
   * @minimum 1000
   * @maximum 600000
   */
  readonly revocationCheckMs?: number;

  /**
   * Of a whole review, milliseconds, all retries included.
   * @default 5000
   * @minimum 100
   * @maximum 30000
   */
  readonly timeoutMs?: number;

  /**
   * While the API server is unreachable: `refuse` answers 503 once the last answer about the token is older than
   * `revocationCheckMs`; `accept-until-expiry` goes on with the signature alone, until the token's `exp`, and notices
   * a revocation up to 10 s after the API server is back. A missing right is 503 with both.
   * @default 'refuse'
   */
  readonly whenUnavailable?: WhenUnavailable;
}

/** @internal */
export const hybridDefaults = {
  revocationCheckMs: 60_000,
  timeoutMs: 5_000,
  whenUnavailable: 'refuse',
} as const;

/** @internal */
export const hybridOptionsSchema: z.ZodType<HybridOptions> = z.strictObject({
  kind: z.literal('hybrid'),
  ...issuerKeysShape,
  clockToleranceMs: clockToleranceMsSchema.optional(),
  revocationCheckMs: z.int().min(1_000).max(600_000).optional(),
  timeoutMs: reviewTimeoutMsSchema.optional(),
  whenUnavailable: z.enum(['refuse', 'accept-until-expiry']).optional(),
});
