import { z } from 'zod';
import { openIssuerKeys } from '../../keys/issuer-keys.js';
import {
  type IssuerKeysOptions,
  issuerKeysShape,
  issuerKeysVariables,
} from '../../keys/issuer-keys.options.js';
import { clockToleranceMsSchema, DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../jwt.verifier.js';
import { openReviewer, reviewTimeoutMsSchema } from '../reviews/reviewer.js';
import { worseOf } from '../../util/readiness.js';
import { type VerifierDefinition } from '../verifier.js';
import { HybridVerifier } from './hybrid.verifier.js';
import { RevocationChecks, type WhenUnavailable } from './revocation-checks.js';

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

/** Signatures, checked here; and the API server's word on whether a token was revoked. @internal */
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
    const { keys, apiServerAudiences, close: closeKeys } = await openIssuerKeys(options, context);
    const reviewer = await openReviewer({ kind, apiServer: options.apiServer, timeoutMs }, context);
    const local = new JwtVerifier(keys, { kind, clock, clockToleranceMs });
    const checks = new RevocationChecks({ clock, periodMs: revocationCheckMs, whenUnavailable });
    const { verify } = new HybridVerifier({ local, reviewer, checks });
    const needsAnswer = whenUnavailable === 'refuse';
    return {
      verify,
      start: () => {
        keys.start();
        reviewer.start();
      },
      readiness: () => worseOf(keys.readiness(), reviewer.readiness.current({ needsAnswer })),
      apiServerAudiences,
      close: async () => {
        checks.close();
        await Promise.all([closeKeys(), reviewer.close()]);
      },
    };
  },
};
