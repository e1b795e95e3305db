import * as z from 'zod';
import { issuerSchema, issuersOf } from '../../keys/issuer-keys.options.js';
import { PublicKeyFiles } from '../../keys/public-key-files.js';
import { KEYS_IN_FILES, RefreshedKeys } from '../../keys/refreshed-keys.js';
import { clockToleranceMsSchema, DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../jwt.verifier.js';
import { observed } from '../observed.js';
import { VerdictCache } from '../verdict-cache.js';
import { type VerifierDefinition } from '../verifier.js';

/**
 * Verifies signatures with public keys from files and sends no requests. The tokens of a deleted ServiceAccount or pod stay
 * valid until their `exp`.
 * @publicApi
 */
export interface JwtPubkeyOptions {
  readonly kind: 'jwt-pubkey';

  /**
   * The accepted values of the `iss` claim, compared byte for byte. Use a list while one cluster changes its issuer. Each key
   * in the files verifies tokens of every issuer in the list, so a list must not hold the issuers of two clusters.
   */
  readonly issuer: string | readonly string[];

  /**
   * PEM files, each with one or more public keys or certificates. Startup fails if one is missing or invalid. The files are
   * read again every 10 s; if that fails, the last good keys are used.
   */
  readonly publicKeyFiles: readonly string[];

  /**
   * The clock tolerance for `exp`, `nbf` and `iat`, milliseconds.
   * @default 30000
   * @minimum 0
   * @maximum 60000
   */
  readonly clockToleranceMs?: number;

  /**
   * Also accepts legacy tokens, which are kept in Secrets. They have no audience and do not expire, so a service that
   * receives one can use it to call every other service that accepts such tokens.
   * @default false
   */
  readonly acceptLegacyTokens?: boolean;
}

const EXPECTED_FILES = 'expected at least one PEM file';

const path = z.string('expected a path').min(1, 'expected a path that is not empty');

/** @internal */
export const jwtPubkeyOptionsSchema: z.ZodType<JwtPubkeyOptions> = z.strictObject({
  kind: z.literal('jwt-pubkey'),
  issuer: issuerSchema,
  publicKeyFiles: z.array(path, EXPECTED_FILES).min(1, EXPECTED_FILES).readonly(),
  clockToleranceMs: clockToleranceMsSchema.optional(),
  acceptLegacyTokens: z.boolean().optional(),
});

/** Verifies signatures locally, with keys from files. @internal */
export const jwtPubkeyDefinition: VerifierDefinition<JwtPubkeyOptions> = {
  kind: 'jwt-pubkey',
  schema: jwtPubkeyOptionsSchema,
  variables: [
    { option: 'issuer', variable: 'K8S_AUTH_ISSUER', type: 'list' },
    { option: 'publicKeyFiles', variable: 'K8S_AUTH_PUBLIC_KEY_FILES', type: 'list' },
    { option: 'clockToleranceMs', variable: 'K8S_AUTH_CLOCK_TOLERANCE_MS', type: 'integer' },
    { option: 'acceptLegacyTokens', variable: 'K8S_AUTH_ACCEPT_LEGACY_TOKENS', type: 'boolean' },
  ],
  async create({ kind, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS, ...options }, context) {
    const { clock, log, checks } = context;
    const { acceptLegacyTokens = false } = options;
    const issuers = issuersOf(options.issuer);
    if (issuers.length > 1) {
      // The files do not state which issuer a key belongs to.
      const message =
        "option 'issuer': expected issuers of one cluster only, because each key of 'publicKeyFiles' verifies tokens of every issuer in the list";
      log.warn({ message, issuers });
    }
    const files = new PublicKeyFiles(options.publicKeyFiles, issuers);
    const keys = new RefreshedKeys(files, { ...context, policy: KEYS_IN_FILES }, await files.fetchFirst());
    const { verify } = new JwtVerifier(keys, { kind, clock, clockToleranceMs, acceptLegacyTokens }, checks);
    const cache = new VerdictCache(observed(verify, kind, context.events), { clock });
    return {
      verify: cache.verify,
      start: () => keys.start(),
      readiness: () => keys.readiness(),
      statistics: () => ({ ...cache.counts, keys: keys.statistics() }),
      // By default an API server accepts its issuer as audience.
      apiServerAudiences: () => Promise.resolve(issuers),
      summary: () => Promise.resolve({ issuers }),
      close: () => {
        cache.clear();
        return Promise.resolve(keys.stop());
      },
    };
  },
};
