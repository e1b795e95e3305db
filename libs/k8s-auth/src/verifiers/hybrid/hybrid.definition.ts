import { openIssuerKeys } from '../../keys/issuer-keys.js';
import { issuerKeysVariables } from '../../keys/issuer-keys.options.js';
import { DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../jwt.verifier.js';
import { openReviewer } from '../reviews/reviewer.js';
import { worseOf } from '../../util/readiness.js';
import { type VerifierDefinition } from '../verifier.js';
import { hybridDefaults, type HybridOptions, hybridOptionsSchema } from './hybrid.options.js';
import { HybridVerifier } from './hybrid.verifier.js';
import { RevocationChecks } from './revocation-checks.js';

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
