import { z } from 'zod';
import { type ApiServerOptions, apiServerOptionsSchema } from '../../api-server/api-server.options.js';

/**
 * Has the API server check every token (TokenReview, authentication.k8s.io/v1): sees deleted pods and ServiceAccounts,
 * and needs the right to create tokenreviews (ClusterRole `system:auth-delegator`).
 * @publicApi
 */
export interface TokenReviewOptions {
  readonly kind: 'tokenreview';
  /** @default what KUBECONFIG names, the pod's own service account, or `~/.kube/config`; none stops the boot */
  readonly apiServer?: ApiServerOptions;
  /**
   * How long an accepted token is accepted again without asking, milliseconds, never past its `exp`: how late a
   * deleted pod is noticed. 0: every request is asked about. @default 10000, 0 to 300000
   */
  readonly successLifetimeMs?: number;
  /** The same for a refused token. @default 2000, 0 to 60000 */
  readonly rejectionLifetimeMs?: number;
  /**
   * For a whole review, milliseconds: waiting for a free place, reading the own credential, connecting, all retries. After it
   * the caller gets 503. @default 5000, 100 to 30000
   */
  readonly timeoutMs?: number;
}

/** @internal */
export const tokenReviewDefaults = {
  successLifetimeMs: 10_000,
  rejectionLifetimeMs: 2_000,
  timeoutMs: 5_000,
} as const;

/** @internal */
export const tokenReviewOptionsSchema: z.ZodType<TokenReviewOptions> = z.strictObject({
  kind: z.literal('tokenreview'),
  apiServer: apiServerOptionsSchema.optional(),
  successLifetimeMs: z.int().min(0).max(300_000).optional(),
  rejectionLifetimeMs: z.int().min(0).max(60_000).optional(),
  timeoutMs: z.int().min(100).max(30_000).optional(),
});
