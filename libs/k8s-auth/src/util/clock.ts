/**
 * The only source of time in this library. Every class that needs the time takes a `Clock`, so that tests can control it.
 * @publicApi
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. Use it for `exp`, `nbf` and `iat` only, because it can jump. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start. Never goes back. Use it for ages, periods and cooldowns. */
  monotonicMs(): number;
  /**
   * Calls `task` once, `delayMs` from now. The timer never keeps the process alive.
   * @returns a function that cancels the call. It has no effect after the call.
   */
  schedule(delayMs: number, task: () => void): () => void;
}

/** Nest injection token of the {@link Clock}; override it in tests. @publicApi */
export const K8S_AUTH_CLOCK = Symbol('K8S_AUTH:CLOCK');

// 2^31 - 1. setTimeout fires immediately for a longer delay (Node documentation of timers).
const MAX_DELAY_MS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
