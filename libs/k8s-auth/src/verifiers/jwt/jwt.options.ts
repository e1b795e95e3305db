import { z } from 'zod';

/** One issuer or several, each compared byte for byte with `iss`. @internal */
export const issuerSchema = z.union([z.string().min(1), z.array(z.string().min(1)).min(1).readonly()], {
  error: 'expected an issuer or a list of issuers',
});

/** Half of what the API server itself allows, which is a minute. */
export const DEFAULT_CLOCK_TOLERANCE_MS = 30_000;

const MAX_CLOCK_TOLERANCE_MS = 60_000;

/** @internal */
export const clockToleranceMsSchema = z.int().min(0).max(MAX_CLOCK_TOLERANCE_MS);

/** @internal */
export function issuersOf(issuer: string | readonly string[]): readonly string[] {
  return typeof issuer === 'string' ? [issuer] : [...issuer];
}
