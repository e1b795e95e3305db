import { VerifierUnavailableError } from '../errors.js';
import { NOT_CONNECTED } from '../http/https-client.js';
import { type Clock } from '../util/clock.js';
import { plainErrorOf } from '../util/plain-error.js';
import { type Deadline, inWholeMs, sleep } from '../util/timers.js';

/** The API server gave no answer that shows that it works: the circuit breaker goes by this. @internal */
export class OutageError extends VerifierUnavailableError {
  // The name of the public class: that there are subclasses is the breaker's business.
  override name = VerifierUnavailableError.name;
  /** What callers are told who are refused because of it. */
  readonly outage: string = 'API server answers with failures only';
}

/** The API server was asked and did not answer: it could not be reached, or was silent until the deadline. @internal */
export class NoAnswerError extends OutageError {
  override readonly outage: string = 'API server is unreachable';
  /** It was reached, and had the request. */
  readonly wasReached: boolean;

  constructor(message: string, { cause, wasReached = false }: { cause?: Error; wasReached?: boolean } = {}) {
    super(message, { cause });
    this.wasReached = wasReached;
  }
}

/** A failure that may pass: the only kind that is tried again. @internal */
export class PassingFailure extends Error {
  constructor(readonly unavailable: VerifierUnavailableError) {
    super(unavailable.message);
  }
}

/** What callers of the client see of any failure. @internal */
export function unavailable(error: unknown): VerifierUnavailableError {
  if (error instanceof VerifierUnavailableError) return error;
  return new VerifierUnavailableError('no usable answer of the API server', { cause: plainErrorOf(error) });
}

/** What it means that a request brought no answer at all. @internal */
export function failureWithoutAnswer(error: unknown, deadline: Deadline): Error {
  const cause = plainErrorOf(error);
  if (deadline.signal.aborted) {
    const wasReached = cause.code !== NOT_CONNECTED;
    const missing = wasReached ? 'answer of' : 'connection to';
    const message = `no ${missing} the API server within ${inWholeMs(deadline.timeoutMs)}`;
    return new NoAnswerError(message, { cause, wasReached });
  }
  if (!isConnectionFailure(cause)) return cause;
  return new PassingFailure(new NoAnswerError('connection to the API server failed', { cause }));
}

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

/**
 * Whether an answer shows that the API server works. A status of failure may come from a load balancer before one that
 * is down, and one that refuses everybody with 429 serves nobody.
 * @internal
 */
export function isSignOfLife(status: number): boolean {
  return status < 500 && status !== 429;
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

// All forms of an HTTP date begin with the day of the week. `Date.parse` would take `1.5` and `-5` for dates, too.
const DAY_OF_WEEK = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** `Retry-After` (RFC 9110 §10.2.3): seconds or a date. @returns `undefined` when absent or neither @internal */
export function readRetryAfterMs(header: string | undefined, wallMs: number): number | undefined {
  if (header === undefined) return undefined;
  const dateMs = DAY_OF_WEEK.test(header) ? Date.parse(header) : NaN;
  const askedMs = /^\d+$/.test(header) ? Number(header) * 1000 : dateMs - wallMs;
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

  /**
   * Waits before the given try, and until there is no pause.
   * @param random from 0 to 1, for the jitter
   * @returns whether there is time for the try: nobody is helped by one that the deadline would not let begin
   */
  async waitBefore(nthTry: number, deadline: Deadline, random: () => number): Promise<boolean> {
    const { signal } = deadline;
    let waitMs = Math.max(waitMsBefore(nthTry, random), this.remainingMs());
    // Again where another request was told to pause meanwhile.
    for (; waitMs > 0; waitMs = this.remainingMs()) {
      if (signal.aborted || waitMs >= deadline.remainingMs()) return false;
      await sleep(this.clock, waitMs, signal).catch(() => {});
    }
    return !signal.aborted;
  }
}
