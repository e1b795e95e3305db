import * as z from 'zod';
import { openIssuerKeys } from '../../keys/issuer-keys.js';
import {
  type IssuerKeysOptions,
  issuerKeysShape,
  issuerKeysVariables,
} from '../../keys/issuer-keys.options.js';
import { clockToleranceMsSchema, DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../jwt.verifier.js';
import { openReviewer, reviewTimeoutMsSchema } from '../reviews/reviewer.js';
import { worseOf } from '../../util/readiness.js';
import { observed } from '../observed.js';
import { type VerifierDefinition } from '../verifier.js';
import { askAboutToken, HybridVerifier } from './hybrid.verifier.js';
import { RevocationChecks, type WhenUnavailable } from './revocation-checks.js';

/**
 * Verifies signatures like `oidc-discovery`, and asks the API server to review each token at most once per
 * `revocationCheckMs`. It detects a deleted pod, ServiceAccount or node, and a request waits for a review only at the
 * first use of its token. Needs the right to create tokenreviews (ClusterRole `system:auth-delegator`).
 * @publicApi
 */
export interface HybridOptions extends IssuerKeysOptions {
  readonly kind: 'hybrid';

  /**
   * The clock tolerance for `exp`, `nbf` and `iat`, milliseconds.
   * @default 30000
   * @minimum 0
   * @maximum 60000
   */
  readonly clockToleranceMs?: number;

  /**
   * How long the API server's answer about a token is used, milliseconds. A revoked token is rejected at the latest this
   * time plus 10 s after the deletion, because the API server itself may cache its answer for 10 s. If a review takes longer than
   * this time, its duration counts instead.
   * @default 60000
   * @minimum 1000
   * @maximum 600000
   */
  readonly revocationCheckMs?: number;

  /**
   * The time for one review, milliseconds: waiting for a free place, reading the own credential, connecting, and all
   * retries. When it is over, the API server counts as unreachable for this token, see `whenUnavailable`.
   * @default 5000
   * @minimum 100
   * @maximum 30000
   */
  readonly timeoutMs?: number;

  /**
   * What happens while the API server is unreachable. With `refuse`, the response is 503 as soon as the last answer about
   * the token is older than `revocationCheckMs`. With `accept-until-expiry`, a token is accepted by its signature until
   * its `exp`; after the outage, a token that was accepted without a review is reviewed within 10 s of its next use. With
   * both, the response is 503 if the right to create tokenreviews is missing, or if too many reviews wait.
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

/** Verifies signatures locally, and asks the API server whether a token was revoked. @internal */
export const hybridDefinition: VerifierDefinition<HybridOptions> = {
  kind: 'hybrid',
  schema: hybridOptionsSchema,
  variables: [
    ...issuerKeysVariables,
    { option: 'clockToleranceMs', variable: 'K8S_AUTH_CLOCK_TOLERANCE_MS', type: 'integer' },
    { option: 'revocationCheckMs', variable: 'K8S_AUTH_REVOCATION_CHECK_MS', type: 'integer' },
    { option: 'whenUnavailable', variable: 'K8S_AUTH_WHEN_UNAVAILABLE', type: 'text' },
  ],
  async create({ kind, ...given }, context) {
    const { clock } = context;
    const {
      revocationCheckMs,
      timeoutMs,
      whenUnavailable,
      clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS,
      ...options
    } = { ...hybridDefaults, ...given };
    const { keys, apiServerAudiences, summary, close: closeKeys } = await openIssuerKeys(options, context);
    const reviewer = await openReviewer({ kind, apiServer: options.apiServer, timeoutMs }, context);
    const local = new JwtVerifier(keys, { kind, clock, clockToleranceMs }, context.checks);
    const checks = new RevocationChecks({
      ask: (token, verdict, connection) => askAboutToken(reviewer, token, verdict, connection),
      clock,
      periodMs: revocationCheckMs,
      whenUnavailable,
    });
    const verifyLocally = observed(local.verify, kind, context.events);
    const verifier = new HybridVerifier({ verifyLocally, checks, clock });
    const needsAnswer = whenUnavailable === 'refuse';
    return {
      verify: verifier.verify,
      start: () => {
        keys.start();
        reviewer.start();
      },
      readiness: () => worseOf(keys.readiness(), reviewer.readiness.current({ needsAnswer })),
      statistics: () => ({ ...verifier.counts, keys: keys.statistics(), reviews: reviewer.statistics() }),
      apiServerAudiences,
      summary,
      close: async () => {
        verifier.close();
        await Promise.all([closeKeys(), reviewer.close()]);
      },
    };
  },
};
