import { z } from 'zod';
import { issuerSchema } from '../../keys/issuer-keys.options.js';
import { clockToleranceMsSchema } from '../jwt.verifier.js';

/**
 * Verifies signatures with public keys from files, asking nobody: a deleted ServiceAccount or pod stays known until
 * its token's `exp`.
 * @publicApi
 */
export interface JwtPubkeyOptions {
  readonly kind: 'jwt-pubkey';

  /**
   * Accepted as `iss`, byte for byte; a list while one cluster changes its issuer. Files do not tell whose keys they
   * hold: each key verifies tokens of every issuer in the list, so the issuers of two clusters must not stand in one.
   */
  readonly issuer: string | readonly string[];

  /**
   * PEM files with one or several public keys or certificates each. A missing or wrong one fails startup; later they
   * are read again every 10 s, and the last good keys stay while that fails.
   */
  readonly publicKeyFiles: readonly string[];

  /**
   * How far `exp`, `nbf` and `iat` may be off, in milliseconds.
   * @default 30000
   * minimum 0, maximum 60000
   */
  readonly clockToleranceMs?: number;

  /**
   * Lets in tokens kept in Secrets, which have no audience and no end: whoever received one can use it everywhere,
   * for ever.
   * @default false
   */
  readonly acceptLegacyTokens?: boolean;
}

const EXPECTED_FILES = 'expected at least one PEM file';

const path = z.string('expected a path').min(1, 'expected a path, not an empty one');

/** @internal */
export const jwtPubkeyOptionsSchema: z.ZodType<JwtPubkeyOptions> = z.strictObject({
  kind: z.literal('jwt-pubkey'),
  issuer: issuerSchema,
  publicKeyFiles: z.array(path, EXPECTED_FILES).min(1, EXPECTED_FILES).readonly(),
  clockToleranceMs: clockToleranceMsSchema.optional(),
  acceptLegacyTokens: z.boolean().optional(),
});
