import { VerifierUnavailableError } from '../errors.js';
import { NOT_CONNECTED } from '../http/https-client.js';
import { type Clock } from '../util/clock.js';
import { plainErrorOf } from '../util/plain-error.js';
import { type Deadline, inWholeMs, sleep } from '../util/timers.js';

/**
 * The API server gave no answer that proves that it works. The circuit breaker opens only for this error, and only for this
 * error `accept-until-expiry` accepts tokens without a review.
 * @internal
 */
export class OutageError extends VerifierUnavailableError {
  // The name of the public class: the subclasses are internal to the circuit breaker.
  override name = VerifierUnavailableError.name;
  /** The error message for callers that are refused because of this outage. */
  readonly outageMessage: string = 'API server answers only with errors';

  /** The error for callers that are refused because of this outage. */
  refusal(): VerifierUnavailableError {
    return new OutageError(this.outageMessage, { cause: this });
  }
}

/** The API server did not answer: it was unreachable, or sent nothing until the deadline. @internal */
export class NoAnswerError extends OutageError {
  override readonly outageMessage: string = 'API server is unreachable';
  /** Whether the API server was connected and had the request. */
  readonly wasReached: boolean;

  constructor(message: string, { cause, wasReached = false }: { cause?: Error; wasReached?: boolean } = {}) {
    super(message, { cause });
    this.wasReached = wasReached;
  }
}

/** A failure that may be temporary: the only kind that is retried. @internal */
export class TransientFailure extends Error {
  constructor(readonly unavailable: VerifierUnavailableError) {
    super(unavailable.message);
  }
}

/** Converts any failure to the error for callers of the client. @internal */
export function toVerifierUnavailable(error: unknown): VerifierUnavailableError {
  if (error instanceof VerifierUnavailableError) return error;
  return new VerifierUnavailableError('no usable answer of the API server', { cause: plainErrorOf(error) });
}

/** Classifies the error of a request without an answer. @internal */
export function classifyRequestError(error: unknown, deadline: Deadline): Error {
  const cause = plainErrorOf(error);
  if (deadline.isOver) {
    const wasReached = cause.code !== NOT_CONNECTED;
    const missing = wasReached ? 'answer of' : 'connection to';
    const message = `no ${missing} the API server within ${inWholeMs(deadline.timeoutMs)}`;
    return new NoAnswerError(message, { cause, wasReached });
  }
  if (!isConnectionFailure(cause)) return cause;
  return new TransientFailure(new NoAnswerError('connection to the API server failed', { cause }));
}

// These rules are those of kube-apiserver's own webhook client (apiserver/pkg/util/webhook).

/** The number of all tries, including the first. */
export const MAX_TRIES = 5;
const FIRST_WAIT_MS = 500;
const WAIT_FACTOR = 1.5;
const JITTER_SHARE = 0.2;

// The webhook client does not retry 503, but an API server answers 503 while it starts or stops.
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 500, 503, 504]);

/** @internal */
export function isRetryableStatus(status: number): boolean {
  return RETRYABLE_STATUSES.has(status);
}

/**
 * Whether an answer proves that the API server works. A 5xx status may come from a load balancer in front of an API
 * server that is down, and an API server that answers everything with 429 serves nobody.
 * @internal
 */
export function isHealthyStatus(status: number): boolean {
  return status < 500 && status !== 429;
}

// Codes of a connection that failed, or that the other side closed, even in the middle of a body.
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
 * How long to wait before the given try (2 is the first retry).
 * @param random returns a number from 0 to 1
 * @internal
 */
export function retryWaitMs(nthTry: number, random: () => number): number {
  return FIRST_WAIT_MS * WAIT_FACTOR ** (nthTry - 2) * (1 + JITTER_SHARE * random());
}

// One header must not stop all requests for longer than this.
const MAX_RETRY_AFTER_MS = 60_000;

// All forms of an HTTP date begin with the day of the week. Without this check, `Date.parse` accepts `1.5` and `-5`.
const DAY_OF_WEEK = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** `Retry-After` (RFC 9110 §10.2.3): seconds or a date. @returns `undefined` if absent or invalid @internal */
export function readRetryAfterMs(header: string | undefined, wallMs: number): number | undefined {
  if (header === undefined) return undefined;
  const dateMs = DAY_OF_WEEK.test(header) ? Date.parse(header) : NaN;
  const askedMs = /^\d+$/.test(header) ? Number(header) * 1000 : dateMs - wallMs;
  return Number.isNaN(askedMs) ? undefined : Math.min(Math.max(0, askedMs), MAX_RETRY_AFTER_MS);
}

/** The pause that a server has asked for. @internal */
export class Pause {
  private endMs = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** A shorter pause does not end a longer one. */
  extend(pauseMs: number): void {
    this.endMs = Math.max(this.endMs, this.clock.monotonicMs() + pauseMs);
  }

  /** 0 if there is no pause. */
  remainingMs(): number {
    return Math.max(0, this.endMs - this.clock.monotonicMs());
  }

  /**
   * Waits before the given try, and until there is no pause.
   * @param random returns a number from 0 to 1, for the jitter
   * @returns `false`, without waiting to the end, if the deadline would pass before the try can begin
   */
  async waitBefore(nthTry: number, deadline: Deadline, random: () => number): Promise<boolean> {
    const { signal } = deadline;
    let waitMs = Math.max(retryWaitMs(nthTry, random), this.remainingMs());
    // Wait again if another request was told to pause in the meantime.
    for (; waitMs > 0; waitMs = this.remainingMs()) {
      if (signal.aborted || waitMs >= deadline.remainingMs()) return false;
      await sleep(this.clock, waitMs, signal).catch(() => {});
    }
    return !signal.aborted;
  }
}
