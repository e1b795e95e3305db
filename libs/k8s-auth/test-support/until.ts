import { systemClock } from '../src/util/clock.js';
import { nextTurn } from '../src/util/timers.js';

// Less than a test may take: a loop that outlives its test would keep Jest from ending.
const MAX_WAIT_MS = 25_000;

/** Lets the event loop turn until the condition holds. @throws {Error} it does not hold in time */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = systemClock.monotonicMs() + MAX_WAIT_MS;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`has not happened: ${condition.toString()}`);
    await nextTurn();
  }
}

/** Repeats the action until it no longer fails. @throws the last failure, if it still fails after a while */
export async function eventually<Value>(action: () => Promise<Value>): Promise<Value> {
  const endMs = systemClock.monotonicMs() + MAX_WAIT_MS;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (systemClock.monotonicMs() > endMs) throw error;
      await nextTurn();
    }
  }
}
