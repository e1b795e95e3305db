import { openIssuerKeys } from '../../keys/issuer-keys.js';
import { issuerKeysVariables } from '../../keys/issuer-keys.options.js';
import { DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../jwt.verifier.js';
import { type VerifierDefinition } from '../verifier-definition.js';
import { type OidcDiscoveryOptions, oidcDiscoveryOptionsSchema } from './oidc-discovery.options.js';

/** Signatures, checked here with the keys that the issuer publishes. @internal */
export const oidcDiscoveryDefinition: VerifierDefinition<OidcDiscoveryOptions> = {
  kind: 'oidc-discovery',
  schema: oidcDiscoveryOptionsSchema,
  variables: [
    ...issuerKeysVariables,
    { option: 'clockToleranceMs', variable: 'K8S_AUTH_CLOCK_TOLERANCE_MS', type: 'integer' },
  ],
  async create({ kind, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS, ...options }, context) {
    const { keys, apiServerAudiences, close } = await openIssuerKeys(options, context);
    const { verify } = new JwtVerifier(keys, { kind, clock: context.clock, clockToleranceMs });
    return {
      verify,
      start: () => keys.start(),
      readiness: () => keys.readiness(),
      apiServerAudiences,
      close,
    };
  },
};
