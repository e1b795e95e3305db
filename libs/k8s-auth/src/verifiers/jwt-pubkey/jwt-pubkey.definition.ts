import { DEFAULT_CLOCK_TOLERANCE_MS, issuersOf } from '../jwt/jwt.options.js';
import { type VerifierDefinition } from '../verifier-definition.js';
import { type JwtPubkeyOptions, jwtPubkeyOptionsSchema } from './jwt-pubkey.options.js';
import { JwtPubkeyVerifier } from './jwt-pubkey.verifier.js';
import { PublicKeyFiles } from './public-key-files.js';

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
    return new JwtPubkeyVerifier(issuersOf(options.issuer), keyFiles, {
      kind: options.kind,
      clock,
      clockToleranceMs: options.clockToleranceMs ?? DEFAULT_CLOCK_TOLERANCE_MS,
      acceptLegacyTokens: options.acceptLegacyTokens ?? false,
    });
  },
};
