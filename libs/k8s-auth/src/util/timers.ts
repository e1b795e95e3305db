import { setImmediate } from 'node:timers/promises';
import { type Clock } from './clock.js';
import { PlainError } from './plain-error.js';

/** The time that one piece of work has, as it is handed from the top down to the socket. */
export interface Deadline {
  /** Fires when the time is over, or when nobody waits for the result any more. Its reason is an error of ours. */
  readonly signal: AbortSignal;
  /** The whole time, milliseconds. */
  readonly timeoutMs: number;
  /** The rest of it, milliseconds; 0 when it is over. */
  remainingMs(): number;
}

/** A deadline in the hands of its maker, who has to cancel it when the work is done. */
export interface OwnDeadline extends Deadline {
  cancel(): void;
  /** Ends the work before its time. */
  abort(reason: Error): void;
}

/** @internal */
export function startDeadline(clock: Clock, timeoutMs: number): OwnDeadline {
  const controller = new AbortController();
  const endMs = clock.monotonicMs() + timeoutMs;
  const expire = () =>
    controller.abort(new PlainError('TimeoutError', `no answer within ${inWholeMs(timeoutMs)}`, 'ETIMEDOUT'));
  const cancel = timeoutMs === Infinity ? () => {} : clock.schedule(timeoutMs, expire);
  return {
    signal: controller.signal,
    timeoutMs,
    remainingMs: () => Math.max(0, endMs - clock.monotonicMs()),
    cancel,
    abort(reason) {
      cancel();
      controller.abort(reason);
    },
  };
}

/** A duration as messages state it. @internal */
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
 * Calls `task` every `periodMs()` until stopped: the next call is planned when the last one has settled, whether it
 * failed or not.
 * @internal
 */
export function repeat(clock: Clock, periodMs: () => number, task: () => Promise<void>): () => void {
  let stopped = false;
  let cancel = () => {};
  const call = async () => {
    try {
      await task();
    } catch {
      // Tasks report their own failures. What is left is a logger of the user's that throws: it must end neither the
      // loop nor, as an unhandled rejection, the process.
    }
  };
  const plan = () => {
    if (stopped) return;
    cancel = clock.schedule(periodMs(), () => void call().finally(plan));
  };
  plan();
  return () => {
    stopped = true;
    cancel();
  };
}

/** Lets the event loop turn once, so that long work does not keep it from everything else. No time passes by it. @internal */
export function nextTurn(): Promise<void> {
  return setImmediate();
}

/** An AbortSignal, or as much of one as HTTP clients ask of their callers. */
type Abortable = Pick<AbortSignal, 'aborted'> &
  Partial<Pick<AbortSignal, 'reason' | 'addEventListener' | 'removeEventListener'>>;

/**
 * The promise's outcome, or the signal's reason if that comes first. What is too late is dropped.
 * @param reasonOf what to reject with instead
 * @internal
 */
export function within<Value>(
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
