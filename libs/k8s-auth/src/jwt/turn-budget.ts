import { setImmediate } from 'node:timers';
import { VerifierUnavailableError } from '../errors.js';
import { systemClock } from '../util/clock.js';

// RS256 takes 20 to 40 µs, so that a few signatures are verified at once. ES384 takes 500 µs: one for each turn.
const BUDGET_MS = 0.2;

// With RS256 this is a wait of 0.2 s, with ES384 of 3 s.
const MAX_WAITING = 5_000;

/**
 * Limits how much of one turn of the event loop is spent on signatures, so that a burst of new tokens does not block other
 * requests. Work runs at once while the turn has time left. Otherwise it waits, in the order of arrival, for later turns;
 * each turn does at least one piece of it.
 *
 * A thread pool would not prevent this: its threads compete with the event loop for the processor, and each call costs
 * more (docs/adr/0015).
 * @internal
 */
export class TurnBudget {
  private spentMs = 0;
  private isTurnScheduled = false;
  private readonly waiting: (() => void)[] = [];

  /** @param nowMs the time in milliseconds, for the cost of each piece of work */
  constructor(
    private readonly nowMs: () => number,
    private readonly nextTurn: (task: () => void) => void,
  ) {}

  /**
   * @returns synchronously if the work has run at once
   * @throws {VerifierUnavailableError} too much work is waiting
   */
  run<Input, Result>(work: (input: Input) => Result, input: Input): Result | Promise<Result> {
    if (this.waiting.length === 0 && this.spentMs < BUDGET_MS) return this.spend(work, input);
    if (this.waiting.length >= MAX_WAITING) {
      throw new VerifierUnavailableError(`overload: ${MAX_WAITING} signatures wait to be verified`);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push(() => {
        try {
          resolve(this.spend(work, input));
        } catch (error) {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the error of the work, unchanged
          reject(error);
        }
      });
    });
  }

  private spend<Input, Result>(work: (input: Input) => Result, input: Input): Result {
    const startMs = this.nowMs();
    try {
      return work(input);
    } finally {
      this.spentMs += this.nowMs() - startMs;
      if (!this.isTurnScheduled) this.scheduleTurn();
    }
  }

  private scheduleTurn(): void {
    this.isTurnScheduled = true;
    this.nextTurn(() => this.startTurn());
  }

  private startTurn(): void {
    this.isTurnScheduled = false;
    this.spentMs = 0;
    while (this.spentMs < BUDGET_MS) {
      const next = this.waiting.shift();
      if (!next) return;
      next();
    }
  }
}

/** One for the process, because all verifiers share one event loop. */
export const turnBudget = new TurnBudget(
  () => systemClock.monotonicMs(),
  (task) => setImmediate(task),
);
