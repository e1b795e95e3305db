// The table of kube-apiserver's own webhook client (apiserver/pkg/util/webhook): what is tried again, and when.

import { type Clock } from '../util/clock.js';

/** Tries in all, the first one included. */
export const MAX_TRIES = 5;
const FIRST_WAIT_MS = 500;
const WAIT_FACTOR = 1.5;
const JITTER_SHARE = 0.2;

// 503 is not in that table, but is what an API server answers while it starts or stops.
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 500, 503, 504]);

/** @internal */
export function isWorthRetrying(status: number): boolean {
  return PASSING_STATUSES.has(status);
}

// Codes of a connection that could not be made, or was ended by the other side, within a body included.
const CONNECTION_FAILURES: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
]);

/** @internal */
export function isConnectionFailure(error: unknown): boolean {
  return CONNECTION_FAILURES.has((error as { code?: unknown } | undefined)?.code);
}

/**
 * How long to wait before the given try (2 is the first that is a repetition).
 * @param random from 0 to 1
 * @internal
 */
export function waitMsBefore(nthTry: number, random: () => number): number {
  return FIRST_WAIT_MS * WAIT_FACTOR ** (nthTry - 2) * (1 + JITTER_SHARE * random());
}

// Nobody should be told to stay away longer because of one header.
const MAX_RETRY_AFTER_MS = 60_000;

/** `Retry-After` (RFC 9110 §10.2.3): seconds or a date. @returns `undefined` when absent or neither @internal */
export function readRetryAfterMs(header: string | undefined, wallMs: number): number | undefined {
  if (header === undefined) return undefined;
  const askedMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - wallMs;
  return Number.isNaN(askedMs) ? undefined : Math.min(Math.max(0, askedMs), MAX_RETRY_AFTER_MS);
}

/** The time during which a server has asked for no requests. @internal */
export class Pause {
  private endMs = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** A shorter pause does not end a longer one. */
  extend(pauseMs: number): void {
    this.endMs = Math.max(this.endMs, this.clock.monotonicMs() + pauseMs);
  }

  /** 0 when there is none. */
  remainingMs(): number {
    return Math.max(0, this.endMs - this.clock.monotonicMs());
  }
}
