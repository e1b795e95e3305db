import { DEFAULT_CLOCK_TOLERANCE_MS, issuersOf } from '../jwt.options.js';
import { type VerifierDefinition } from '../verifier-definition.js';
import { type JwtPubkeyOptions, jwtPubkeyOptionsSchema } from './jwt-pubkey.options.js';
import { JwtPubkeyVerifier } from './jwt-pubkey.verifier.js';
import { PublicKeyFiles } from '../../keys/public-key-files.js';

/** Signatures, checked here with keys from files. @internal */
export const jwtPubkeyDefinition: VerifierDefinition<JwtPubkeyOptions> = {
  kind: 'jwt-pubkey',
  schema: jwtPubkeyOptionsSchema,
  variables: [
    { option: 'issuer', variable: 'K8S_AUTH_ISSUER', type: 'list' },
    { option: 'publicKeyFiles', variable: 'K8S_AUTH_PUBLIC_KEY_FILES', type: 'list' },
    { option: 'clockToleranceMs', variable: 'K8S_AUTH_CLOCK_TOLERANCE_MS', type: 'integer' },
    { option: 'acceptLegacyTokens', variable: 'K8S_AUTH_ACCEPT_LEGACY_TOKENS', type: 'boolean' },
  ],
  async create(options, { clock, log }) {
    const keyFiles = await PublicKeyFiles.open(options.publicKeyFiles, { clock, log });
    const issuers = issuersOf(options.issuer);
    if (issuers.length > 1) {
      // Files do not tell whose keys they hold.
      const message =
        "option 'issuer': expected names of one cluster only, because each key of 'publicKeyFiles' verifies tokens of all";
      log.warn({ message, issuers });
    }
    return new JwtPubkeyVerifier(issuers, keyFiles, {
      kind: options.kind,
      clock,
      clockToleranceMs: options.clockToleranceMs ?? DEFAULT_CLOCK_TOLERANCE_MS,
      acceptLegacyTokens: options.acceptLegacyTokens ?? false,
    });
  },
};
