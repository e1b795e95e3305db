// The table of kube-apiserver's own webhook client (apiserver/pkg/util/webhook): what is tried again, and when.

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

// UND_ERR_SOCKET: undici's word for a connection that the other side closed, within a body included.
const CONNECTION_TROUBLE: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'UND_ERR_SOCKET',
]);

/** @internal */
export function isConnectionTrouble(error: unknown): boolean {
  return CONNECTION_TROUBLE.has((error as { code?: unknown } | undefined)?.code);
}

/**
 * How long to wait before the given try (2 is the first that is a repetition), at least what the server asked for.
 * @param random from 0 to 1
 * @internal
 */
export function waitMsBefore(nthTry: number, retryAfterMs: number | undefined, random: () => number): number {
  const backOffMs = FIRST_WAIT_MS * WAIT_FACTOR ** (nthTry - 2) * (1 + JITTER_SHARE * random());
  return Math.max(backOffMs, retryAfterMs ?? 0);
}

// Nobody should be told to stay away longer because of one header.
const LONGEST_RETRY_AFTER_MS = 60_000;

/** `Retry-After` (RFC 9110 §10.2.3): seconds or a date. @returns `undefined` when absent or neither @internal */
export function readRetryAfterMs(header: string | undefined, wallMs: number): number | undefined {
  if (header === undefined) return undefined;
  const askedMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - wallMs;
  return Number.isNaN(askedMs) ? undefined : Math.min(Math.max(0, askedMs), LONGEST_RETRY_AFTER_MS);
}
