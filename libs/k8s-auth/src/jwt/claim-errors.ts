import { InvalidTokenError } from '../errors.js';

/** @internal */
export function malformed(message: string): InvalidTokenError {
  return new InvalidTokenError('MALFORMED', message);
}

/** @internal */
export function notYetValid(name: 'nbf' | 'iat', timeMs: number, nowMs: number): InvalidTokenError {
  const message = `"${name}" claim: expected a time in the past, ${formatTimes(timeMs, nowMs)}`;
  return new InvalidTokenError('NOT_YET_VALID', message);
}

/** The message states both times, because the clock of this service may be wrong. @internal */
export function expired(expiresAtMs: number, nowMs: number): InvalidTokenError {
  return new InvalidTokenError(
    'EXPIRED',
    `"exp" claim: expected a time in the future, ${formatTimes(expiresAtMs, nowMs)}`,
  );
}

function formatTimes(timeMs: number, nowMs: number): string {
  return `got ${formatTime(timeMs)}, our time is ${formatTime(nowMs)}`;
}

/** ISO 8601, or a number of seconds if a Date cannot hold the time. */
function formatTime(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.valueOf()) ? `${timeMs / 1000} s` : date.toISOString();
}
