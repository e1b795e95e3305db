import { type Clock } from './clock.js';

/** An AbortSignal that fires `delayMs` from now, and the function that calls it off. */
export interface Deadline {
  readonly signal: AbortSignal;
  cancel(): void;
}

/** @internal */
export function startDeadline(clock: Clock, delayMs: number): Deadline {
  const controller = new AbortController();
  const cancel = clock.schedule(delayMs, () =>
    controller.abort(new DOMException(`no answer within ${delayMs} ms`, 'TimeoutError')),
  );
  return { signal: controller.signal, cancel };
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
 * Calls `task` every `periodMs`() until stopped: the next call is planned when the last one has settled, well or not.
 * @internal
 */
export function repeat(clock: Clock, periodMs: () => number, task: () => Promise<void>): () => void {
  let stopped = false;
  let cancel = () => {};
  const call = async () => {
    try {
      await task();
    } catch {
      // Tasks report their own trouble. What is left is the user's logger that throws, and nobody to tell it to: it
      // must end neither the loop nor, as an unhandled rejection, the process.
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
