import { issuersOf } from '../../keys/issuer-keys.options.js';
import { PublicKeyFiles } from '../../keys/public-key-files.js';
import { KEYS_IN_FILES, RefreshedKeys } from '../../keys/refreshed-keys.js';
import { DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../jwt.verifier.js';
import { type VerifierDefinition } from '../verifier-definition.js';
import { type JwtPubkeyOptions, jwtPubkeyOptionsSchema } from './jwt-pubkey.options.js';

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
  async create({ kind, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS, ...options }, { clock, log }) {
    const { acceptLegacyTokens = false } = options;
    const issuers = issuersOf(options.issuer);
    if (issuers.length > 1) {
      // Files do not tell whose keys they hold.
      const message =
        "option 'issuer': expected names of one cluster only, because each key of 'publicKeyFiles' verifies tokens of all";
      log.warn({ message, issuers });
    }
    const files = new PublicKeyFiles(options.publicKeyFiles, issuers);
    const keys = new RefreshedKeys(files, { policy: KEYS_IN_FILES, clock, log }, await files.fetchFirst());
    const { verify } = new JwtVerifier(keys, { kind, clock, clockToleranceMs, acceptLegacyTokens });
    return {
      verify,
      start: () => keys.start(),
      readiness: () => keys.readiness(),
      // A cluster's issuer is what its API server accepts as audience when nobody says otherwise.
      apiServerAudiences: () => Promise.resolve(issuers),
      close: () => Promise.resolve(keys.stop()),
    };
  },
};
