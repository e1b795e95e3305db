/**
 * The only door to time in this library: everything that asks for it takes a Clock, so that tests can turn it.
 * @publicApi
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. For `exp`, `nbf` and `iat` only: it may jump. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start, never going back. For ages, periods and cooldowns. */
  monotonicMs(): number;
  /**
   * Calls `task` once, `delayMs` from now. The timer never keeps the process alive.
   * @returns a function that cancels the call; harmless after it.
   */
  schedule(delayMs: number, task: () => void): () => void;
}

/** Nest injection token of the {@link Clock}; override it in tests. @publicApi */
export const K8S_AUTH_CLOCK = Symbol('K8S_AUTH:CLOCK');

// setTimeout fires at once for anything above this (2^31 - 1), see the Node documentation of timers.
const LONGEST_DELAY_MS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), LONGEST_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
