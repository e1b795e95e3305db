import { setImmediate } from 'node:timers/promises';
import { type Clock } from './clock.js';
import { PlainError } from './plain-error.js';

/** The time limit of one operation. Each layer passes it on, from the verifier down to the socket. */
export interface Deadline {
  /** Aborts when the time is over, or when no caller waits for the result any more. Its reason is a `PlainError` or an error of this library. */
  readonly signal: AbortSignal;
  /** Whether the signal has aborted. Cheaper than the signal, which is created when it is first read. */
  readonly isOver: boolean;
  /** The whole time, milliseconds. */
  readonly timeoutMs: number;
  /** The remaining time, milliseconds; 0 when the time is over. */
  remainingMs(): number;
  /**
   * Calls the listener once, when the signal aborts, or at once if it has aborted.
   * @returns a function that removes the listener
   */
  onEnd(listener: (reason: Error) => void): () => void;
}

/** A deadline as its creator sees it. The creator must cancel it when the operation has finished. */
export interface OwnDeadline extends Deadline {
  cancel(): void;
  /** Aborts the operation before its time is over. */
  abort(reason: Error): void;
}

/** @internal */
export function startDeadline(clock: Clock, timeoutMs: number): OwnDeadline {
  return new TimedDeadline(clock, timeoutMs);
}

/** Settles like the promise, or rejects with the deadline's reason when it ends first. @internal */
export function settleBefore<Value>(deadline: Deadline, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = deadline.onEnd(reject);
    promise.then(resolve, reject).finally(stop);
  });
}

/** Most operations end in time and never need the signal, which costs more than the rest of this. */
class TimedDeadline implements OwnDeadline {
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #stopTimer: () => void;
  readonly #listeners = new Set<(reason: Error) => void>();
  #controller?: AbortController;
  #reason?: Error;

  constructor(
    clock: Clock,
    readonly timeoutMs: number,
  ) {
    this.#clock = clock;
    this.#endMs = clock.monotonicMs() + timeoutMs;
    this.#stopTimer = timeoutMs === Infinity ? () => {} : clock.schedule(timeoutMs, () => this.#expire());
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#reason !== undefined;
  }

  remainingMs(): number {
    return Math.max(0, this.#endMs - this.#clock.monotonicMs());
  }

  onEnd(listener: (reason: Error) => void): () => void {
    if (this.#reason) listener(this.#reason);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  cancel(): void {
    this.#stopTimer();
  }

  abort(reason: Error): void {
    this.cancel();
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
  }

  #expire(): void {
    this.abort(new PlainError('TimeoutError', `no answer within ${inWholeMs(this.timeoutMs)}`, 'ETIMEDOUT'));
  }
}

/** Formats a duration for messages: `5000 ms`. @internal */
export function inWholeMs(durationMs: number): string {
  return `${Math.round(durationMs)} ms`;
}

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. @internal */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      cancel();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- an abort reason is what the aborter made it
      reject(signal.reason);
    };
    const cancel = clock.schedule(delayMs, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/**
 * Calls `task` every `periodMs()` until stopped. The next call is scheduled when the last one has settled, also if it
 * failed.
 * @returns a function that stops the calls
 * @internal
 */
export function repeat(clock: Clock, periodMs: () => number, task: () => Promise<void>): () => void {
  let stopped = false;
  let cancel = () => {};
  const call = async () => {
    try {
      await task();
    } catch {
      // Tasks report their own failures. An error here comes from a logger of the application that throws. It must not
      // stop the loop, and it must not end the process as an unhandled rejection.
    }
  };
  const scheduleNext = () => {
    if (stopped) return;
    cancel = clock.schedule(periodMs(), () => void call().finally(scheduleNext));
  };
  scheduleNext();
  return () => {
    stopped = true;
    cancel();
  };
}

/** Waits for one turn of the event loop, so that long work does not block it. Does not advance a fake clock. @internal */
export function nextTurn(): Promise<void> {
  return setImmediate();
}

/** An AbortSignal, or the subset of one that HTTP clients accept. */
type Abortable = Pick<AbortSignal, 'aborted'> &
  Partial<Pick<AbortSignal, 'reason' | 'addEventListener' | 'removeEventListener'>>;

/**
 * Settles like the promise, or rejects with the signal's reason if the signal aborts first. A later result is dropped.
 * @param reasonOf returns another error to reject with
 * @internal
 */
export function settleUnlessAborted<Value>(
  signal: Abortable,
  promise: Promise<Value>,
  reasonOf: () => unknown = () => signal.reason,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- an abort reason is what the aborter made it
    const abort = () => reject(reasonOf());
    if (signal.aborted) abort();
    else signal.addEventListener?.('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener?.('abort', abort));
  });
}

/**
 * Concurrent callers with the same key share one run. The result is not kept after the run has settled, so the next
 * caller can retry a failure.
 * @internal
 */
export class SingleFlight<Key, Value> {
  private readonly running = new Map<Key, Promise<Value>>();

  run(key: Key, task: () => Promise<Value>): Promise<Value> {
    const shared = this.running.get(key);
    if (shared) return shared;
    // Inside an async function, so that a task that throws synchronously also rejects.
    const run = (async () => task())().finally(() => this.running.delete(key));
    this.running.set(key, run);
    return run;
  }
}
