import { invalid } from './api-error.js';

const LONGEST_SECONDS = 2 ** 32;

/** The limits of `spec.expirationSeconds` (authentication/validation ValidateTokenRequest). @throws {ApiError} 422 */
export function assertLifetime(seconds: number, minimumMs: number): void {
  const minimum = minimumMs % 60_000 === 0 ? `${minimumMs / 60_000} minutes` : `${minimumMs / 1000} seconds`;
  if (seconds * 1000 < minimumMs) throw outOfRange(seconds, `less than ${minimum}`);
  if (seconds > LONGEST_SECONDS) throw outOfRange(seconds, 'larger than 2^32 seconds');
}

function outOfRange(seconds: number, limit: string): Error {
  return invalid(
    'TokenRequest.authentication.k8s.io',
    '',
    'spec.expirationSeconds',
    `Invalid value: ${seconds}: may not specify a duration ${limit}`,
  );
}
