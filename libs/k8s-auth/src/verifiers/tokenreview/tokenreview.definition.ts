import {
  type ApiServerOptions,
  apiServerOptionsSchema,
  apiServerVariables,
} from '../../api-server/api-server.options.js';
import { openReviewer, reviewTimeoutMsSchema } from '../reviews/reviewer.js';
import { VerdictCache } from '../verdict-cache.js';
import { type VerifierDefinition } from '../verifier.js';
import { SignatureFilter } from './signature-filter.js';
import { TokenReviewVerifier } from './tokenreview.verifier.js';
import { z } from 'zod';

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
   * How long an accepted token is accepted again without asking, milliseconds, from when the API server was asked, never
   * past its `exp`. A revoked token is refused at the latest this time plus the 10 s for which the API server itself may
   * remember its answer after the deletion. 0: every request is asked about. @default 10000, 0 to 300000
   */
  readonly successLifetimeMs?: number;
  /** The same for a refused token. @default 2000, 0 to 60000 */
  readonly rejectionLifetimeMs?: number;
  /**
   * For a whole review, milliseconds: waiting for a free place, reading the own credential, connecting, all retries. After it
   * the caller gets 503. @default 5000, 100 to 30000
   */
  readonly timeoutMs?: number;
  /**
   * Whether signatures are checked before a review, with the keys that the API server publishes: then forged tokens are
   * refused without a review, and genuine ones go first when too many wait. Turn it off where the published keys are
   * not those that tokens are signed with, as an external signer may have it. @default true
   */
  readonly checkSignatures?: boolean;
}

/** @internal */
export const tokenReviewDefaults = {
  successLifetimeMs: 10_000,
  rejectionLifetimeMs: 2_000,
  timeoutMs: 5_000,
  checkSignatures: true,
} as const;

/** @internal */
export const tokenReviewOptionsSchema: z.ZodType<TokenReviewOptions> = z.strictObject({
  kind: z.literal('tokenreview'),
  apiServer: apiServerOptionsSchema.optional(),
  successLifetimeMs: z.int().min(0).max(300_000).optional(),
  rejectionLifetimeMs: z.int().min(0).max(60_000).optional(),
  timeoutMs: reviewTimeoutMsSchema.optional(),
  checkSignatures: z.boolean().optional(),
});

/** Has the API server review each token, behind a cache of its verdicts. @internal */
export const tokenreviewDefinition: VerifierDefinition<TokenReviewOptions> = {
  kind: 'tokenreview',
  schema: tokenReviewOptionsSchema,
  variables: [
    ...apiServerVariables,
    { option: 'checkSignatures', variable: 'K8S_AUTH_CHECK_SIGNATURES', type: 'boolean' },
  ],
  async create({ kind, apiServer, ...given }, context) {
    const { clock } = context;
    const { successLifetimeMs, rejectionLifetimeMs, timeoutMs, checkSignatures } = {
      ...tokenReviewDefaults,
      ...given,
    };
    const reviewer = await openReviewer({ kind, apiServer, timeoutMs }, context);
    const filter = checkSignatures ? new SignatureFilter(reviewer.client, context) : undefined;
    const uncached = new TokenReviewVerifier({ reviewer, filter, clock, successLifetimeMs });
    const cache = new VerdictCache(uncached.verify, { clock, successLifetimeMs, rejectionLifetimeMs });
    return {
      verify: cache.verify,
      start: () => {
        reviewer.start();
        filter?.start();
      },
      readiness: () => ({ ...reviewer.readiness.current(), ...(filter && { note: filter.describe() }) }),
      apiServerAudiences: () => reviewer.client.ownAudiences(),
      close: async () => {
        filter?.stop();
        cache.clear();
        await reviewer.close();
      },
    };
  },
};
