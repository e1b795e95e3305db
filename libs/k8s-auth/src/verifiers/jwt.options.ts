import { z } from 'zod';

const EXPECTED_ISSUER = 'expected an issuer or a list of issuers';

const issuer = z.string(EXPECTED_ISSUER).min(1, EXPECTED_ISSUER);

/** One issuer or several, each compared byte for byte with `iss`. @internal */
export const issuerSchema = z.union([issuer, z.array(issuer).min(1, EXPECTED_ISSUER).readonly()], {
  error: EXPECTED_ISSUER,
});

/** Half of what the API server itself allows, which is a minute. */
export const DEFAULT_CLOCK_TOLERANCE_MS = 30_000;

const MAX_CLOCK_TOLERANCE_MS = 60_000;

/** @internal */
export const clockToleranceMsSchema = z.int().min(0).max(MAX_CLOCK_TOLERANCE_MS);

/** @internal */
export function issuersOf(issuer: string | readonly string[]): readonly string[] {
  return [...new Set([issuer].flat())];
}
