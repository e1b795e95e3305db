import * as z from 'zod';
import {
  type ApiServerOptions,
  apiServerOptionsSchema,
  apiServerVariables,
} from '../../api-server/api-server.options.js';
import { openReviewer, reviewTimeoutMsSchema } from '../reviews/reviewer.js';
import { RefusalBrake } from '../refusal-brake.js';
import { observed } from '../observed.js';
import { VerdictCache } from '../verdict-cache.js';
import { type VerifierDefinition } from '../verifier.js';
import { SignatureFilter, TokenReviewVerifier } from './tokenreview.verifier.js';

/**
 * Asks the API server to check every token (TokenReview, authentication.k8s.io/v1). It detects deleted pods and
 * ServiceAccounts. Needs the right to create tokenreviews (ClusterRole `system:auth-delegator`).
 * @publicApi
 */
export interface TokenReviewOptions {
  readonly kind: 'tokenreview';

  /**
   * The API server that is asked. Startup fails if none is found.
   * @default the first found of the kubeconfigs that `KUBECONFIG` names, the pod's own ServiceAccount, and `~/.kube/config`
   */
  readonly apiServer?: ApiServerOptions;

  /**
   * How long an accepted token is accepted again without another review, milliseconds. It counts from the time when the API
   * server was asked, and never exceeds the token's `exp`. A revoked token is rejected at the latest this time plus 10 s
   * after the deletion, because the API server itself may cache its answer for 10 s. With 0, the token of every request is
   * reviewed.
   * @default 10000
   * @minimum 0
   * @maximum 300000
   */
  readonly successLifetimeMs?: number;

  /**
   * How long a rejected token is rejected again without another review, milliseconds. With 0, it is reviewed each time.
   * @default 2000
   * @minimum 0
   * @maximum 60000
   */
  readonly rejectionLifetimeMs?: number;

  /**
   * The time for one review, milliseconds: waiting for a free place, reading the own credential, connecting, and all
   * retries. When it is over, the response is 503.
   * @default 5000
   * @minimum 100
   * @maximum 30000
   */
  readonly timeoutMs?: number;

  /**
   * Whether signatures are checked before a review, with the keys that the API server publishes. Forged tokens are then
   * rejected without a review, and genuine tokens are reviewed first when many wait. Set it to `false` if tokens are signed
   * with keys that the API server does not publish, as an external signer may do.
   * @default true
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

/** Asks the API server to review each token, and caches the verdicts. @internal */
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
    const cache = new VerdictCache(observed(uncached.verify, kind, context.events), {
      clock,
      successLifetimeMs,
      rejectionLifetimeMs,
      brake: new RefusalBrake(clock),
    });
    return {
      verify: cache.verify,
      start: () => {
        reviewer.start();
        filter?.start();
      },
      readiness: () => ({ ...reviewer.readiness.current(), ...(filter && { note: filter.describe() }) }),
      statistics: () => ({ ...cache.counts, reviews: reviewer.statistics() }),
      apiServerAudiences: () => reviewer.client.ownAudiences(),
      summary: () => Promise.resolve({ apiServer: reviewer.apiServerUrl }),
      close: async () => {
        filter?.stop();
        cache.clear();
        await reviewer.close();
      },
    };
  },
};
