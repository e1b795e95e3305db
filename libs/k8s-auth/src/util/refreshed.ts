import { type Clock } from './clock.js';
import { PlainError } from './plain-error.js';
import { type Deadline, type OwnDeadline, settleBefore, startDeadline } from './timers.js';

/** When a value is fetched again, and how long the last good value may be used. All times in milliseconds. */
export interface RefreshPolicy {
  /** Time from a successful fetch to the next fetch, if {@link Refreshed.start} has been called. */
  readonly periodMs: number;
  /** Minimum time from the start of one fetch to the start of the next one. Also the period after a failed fetch. */
  readonly cooldownMs: number;
  /** Used in place of `cooldownMs` while there is no usable value. @default cooldownMs */
  readonly cooldownWithoutValueMs?: number;
  /** Timeout of one fetch. @default Infinity */
  readonly timeoutMs?: number;
  /** Maximum age of the last good value while fetches fail. @default Infinity */
  readonly maxAgeMs?: number;
  /** Maximum share of the cooldown that is added at random after a failed fetch, so that replicas do not fetch together. @default 0 */
  readonly jitterShare?: number;
}

/** What a failed fetch changes until the next successful one. */
export interface FailureEffect {
  /** No fetch starts before this time is over, milliseconds. @default 0 */
  readonly pauseMs?: number;
  /** The new maximum age of the last good value, milliseconds. */
  readonly maxAgeMs?: number;
}

export interface RefreshedContext<Value> {
  /** @param last the last good value, if there is one */
  readonly fetch: (deadline: Deadline, last: Value | undefined) => Promise<Value>;
  readonly policy: RefreshPolicy;
  readonly clock: Clock;
  /** Called once for each failed fetch. The returned effect holds until the next successful fetch. */
  readonly onFailure?: (error: unknown) => FailureEffect | undefined;
  /** Returns a number from 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/**
 * A value that is fetched repeatedly, such as the keys of an issuer, keys in files, or certificate files. The last good
 * value stays in use while fetches fail. Concurrent callers share one fetch. A failed fetch has only the effects that the
 * policy and `onFailure` define. Ages use the monotonic clock, so a jump of the wall clock does not change them.
 *
 * After {@link start}, a timer fetches the value. Without it, a fetch happens only when a caller asks for one.
 * @internal
 */
export class Refreshed<Value> {
  /** The error of the last fetch; `undefined` if that fetch succeeded. */
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

  /** @param first a value that the caller has just fetched */
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

  /** Age of the last good value, however old it is, milliseconds; `undefined` if there is none. */
  get valueAgeMs(): number | undefined {
    return this.#last && this.context.clock.monotonicMs() - this.#last.fetchedMs;
  }

  /** Time since the start of the last fetch, milliseconds; Infinity before the first fetch. */
  get ageMs(): number {
    return this.context.clock.monotonicMs() - this.#startedMs;
  }

  /** Time until the next scheduled fetch, milliseconds. */
  get nextInMs(): number {
    return Math.max(0, this.#nextMs - this.context.clock.monotonicMs());
  }

  /** Fetches now (unless there is a value already), and then on the timer. */
  start(): void {
    if (this.#isOnTimer || this.#isStopped) return;
    this.#isOnTimer = true;
    if (this.ageMs === Infinity) void this.refresh();
    else this.#scheduleNext();
  }

  /** Aborts the fetch in flight and prevents further fetches. */
  stop(reason: string): void {
    this.#isStopped = true;
    this.#cancelNext();
    this.#deadline?.abort(new PlainError('Error', reason));
  }

  /** Waits for the fetch in flight, or starts one if the cooldown and pauses allow it. Never rejects. */
  refreshIfDue(): Promise<void> {
    const { clock } = this.context;
    const isDue = this.ageMs >= this.#cooldownMs && clock.monotonicMs() >= this.#pausedUntilMs;
    return this.#running || isDue ? this.refresh() : Promise.resolve();
  }

  /** Waits for the fetch in flight, or starts one. Never rejects: an error is stored in {@link failure}. */
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
    // The age of a value counts from the start of its fetch, because the value may be that old.
    const startedMs = clock.monotonicMs();
    this.#startedMs = startedMs;
    try {
      this.#keep(await this.#fetchWithTimeout(), startedMs);
    } catch (error) {
      this.failure = error;
      const { pauseMs = 0, maxAgeMs = this.#maxAgeMs } = (!this.#isStopped && onFailure?.(error)) || {};
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, clock.monotonicMs() + pauseMs);
      this.#maxAgeMs = Math.min(this.#maxAgeMs, maxAgeMs);
    }
    this.#scheduleNext();
  }

  async #fetchWithTimeout(): Promise<Value> {
    const { clock, fetch, policy } = this.context;
    const deadline = startDeadline(clock, policy.timeoutMs ?? Infinity);
    this.#deadline = deadline;
    try {
      // The fetch also gets the deadline, but not every step supports signals: a credential may come from a plugin.
      return await settleBefore(deadline, fetch(deadline, this.last));
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

  #scheduleNext(): void {
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
