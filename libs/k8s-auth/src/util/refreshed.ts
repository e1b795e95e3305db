import { type Clock } from './clock.js';
import { PlainError } from './plain-error.js';
import { type Deadline, type OwnDeadline, startDeadline } from './timers.js';
import { within } from './timers.js';

/** When a value is fetched again, and how long the last good one may be used. All in milliseconds. */
export interface RefreshPolicy {
  /** From a good fetch to the next one, where {@link Refreshed.start} has been called. */
  readonly periodMs: number;
  /** Least time from the start of one fetch to the start of the next, whoever wants it; also the period after a bad one. */
  readonly cooldownMs: number;
  /** In place of `cooldownMs` while there is no value that may be used. @default cooldownMs */
  readonly cooldownWithoutValueMs?: number;
  /** Of one fetch. @default Infinity */
  readonly timeoutMs?: number;
  /** How old the last good value may become, while fetches fail. @default Infinity */
  readonly maxAgeMs?: number;
  /** Share of the cooldown that is added at random after a bad fetch, so that replicas spread. @default 0 */
  readonly jitterShare?: number;
}

/** What a failed fetch changes until the next good one. */
export interface FailureEffect {
  /** No fetch begins before this time is over, milliseconds. @default 0 */
  readonly pauseMs?: number;
  /** The last good value may become this old from now on, milliseconds. */
  readonly maxAgeMs?: number;
}

export interface RefreshedContext<Value> {
  /** @param last the last good value, if there is one */
  readonly fetch: (deadline: Deadline, last: Value | undefined) => Promise<Value>;
  readonly policy: RefreshPolicy;
  readonly clock: Clock;
  /** Called once for each failed fetch; what it returns is kept until the next good one. */
  readonly onFailure?: (error: unknown) => FailureEffect | undefined;
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/**
 * A value that is fetched again and again, and of which the last good one stays: keys of an issuer, keys in files, a
 * token file, certificate files. Concurrent callers share one fetch. A failed fetch changes nothing but what the policy
 * says. Ages are monotonic, so a jump of the wall clock neither ends a value nor keeps it.
 *
 * With {@link start} it is fetched on a timer; without, when a caller asks for it.
 * @internal
 */
export class Refreshed<Value> {
  /** Of the last fetch, if that failed. */
  failure: unknown;
  #last?: { readonly value: Value; readonly fetchedMs: number };
  #startedMs = -Infinity;
  #pausedUntilMs = -Infinity;
  #maxAgeMs: number;
  #nextMs = 0;
  #running?: Promise<void> | undefined;
  #deadline?: OwnDeadline;
  #cancelNext = () => {};
  #isOnTimer = false;
  #isStopped = false;

  /** @param first a value that was fetched just now */
  constructor(
    private readonly context: RefreshedContext<Value>,
    first?: Value,
  ) {
    this.#maxAgeMs = context.policy.maxAgeMs ?? Infinity;
    if (first !== undefined) this.#keep(first, context.clock.monotonicMs());
  }

  /** The last good value, unless it is too old. */
  get value(): Value | undefined {
    const { clock } = this.context;
    return this.#last && clock.monotonicMs() - this.#last.fetchedMs <= this.#maxAgeMs
      ? this.#last.value
      : undefined;
  }

  /** The last good value, however old it is. */
  get last(): Value | undefined {
    return this.#last?.value;
  }

  /** Since the last fetch was started, milliseconds; Infinity before the first. */
  get ageMs(): number {
    return this.context.clock.monotonicMs() - this.#startedMs;
  }

  /** Until the next fetch that is planned, milliseconds. */
  get nextInMs(): number {
    return Math.max(0, this.#nextMs - this.context.clock.monotonicMs());
  }

  /** Fetches now, and on the timer from then on. */
  start(): void {
    if (this.#isOnTimer || this.#isStopped) return;
    this.#isOnTimer = true;
    if (this.ageMs === Infinity) void this.refresh();
    else this.#plan();
  }

  /** Ends the fetch under way, and all to come. */
  stop(reason: string): void {
    this.#isStopped = true;
    this.#cancelNext();
    this.#deadline?.abort(new PlainError('Error', reason));
  }

  /** Joins the fetch under way, or starts one where the cooldown and pauses allow it. Never rejects. */
  async refreshIfDue(): Promise<void> {
    const { clock } = this.context;
    const isDue = this.ageMs >= this.#cooldownMs && clock.monotonicMs() >= this.#pausedUntilMs;
    if (this.#running || isDue) await this.refresh();
  }

  /** Joins the fetch under way, or starts one. Never rejects: a failure is in {@link failure}. */
  refresh(): Promise<void> {
    this.#running ??= this.#fetchOnce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #fetchOnce(): Promise<void> {
    if (this.#isStopped) return;
    const { clock, onFailure } = this.context;
    this.#cancelNext();
    // A value is as old as the start of its fetch, however long that takes.
    const startedMs = clock.monotonicMs();
    this.#startedMs = startedMs;
    try {
      this.#keep(await this.#fetchInTime(), startedMs);
    } catch (error) {
      this.failure = error;
      const { pauseMs = 0, maxAgeMs = this.#maxAgeMs } = (!this.#isStopped && onFailure?.(error)) || {};
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, clock.monotonicMs() + pauseMs);
      this.#maxAgeMs = Math.min(this.#maxAgeMs, maxAgeMs);
    }
    this.#plan();
  }

  async #fetchInTime(): Promise<Value> {
    const { clock, fetch, policy } = this.context;
    const deadline = startDeadline(clock, policy.timeoutMs ?? Infinity);
    this.#deadline = deadline;
    try {
      // Around it all, because not everything on the way knows signals: a credential may come from a plugin.
      return await within(deadline.signal, fetch(deadline, this.last));
    } finally {
      deadline.cancel();
    }
  }

  get #cooldownMs(): number {
    const { cooldownMs, cooldownWithoutValueMs = cooldownMs } = this.context.policy;
    return this.value === undefined ? cooldownWithoutValueMs : cooldownMs;
  }

  #keep(value: Value, fetchedMs: number): void {
    this.#last = { value, fetchedMs };
    this.#startedMs = fetchedMs;
    this.#maxAgeMs = this.context.policy.maxAgeMs ?? Infinity;
    this.failure = undefined;
  }

  #plan(): void {
    const { clock, policy, random = Math.random } = this.context;
    const { periodMs, jitterShare = 0 } = policy;
    const pauseMs = this.#pausedUntilMs - clock.monotonicMs();
    const delayMs =
      this.failure === undefined
        ? periodMs
        : Math.max(this.#cooldownMs * (1 + jitterShare * random()), pauseMs);
    this.#nextMs = clock.monotonicMs() + delayMs;
    if (this.#isOnTimer && !this.#isStopped)
      this.#cancelNext = clock.schedule(delayMs, () => void this.refresh());
  }
}
