import { OverloadError } from '../api-server/fair-queue.js';
import { InvalidTokenError } from '../errors.js';
import { type Clock } from '../util/clock.js';

// More than callers with a wrong configuration send, and few enough to leave most of a core for the other callers.
const MAX_REFUSALS_PER_SECOND = 100;
const MIN_HOLD_MS = 1_000;
const MAX_HOLD_MS = 2_000;
const MAX_HELD = 2_000;

/**
 * Prevents a flood of refused tokens from taking all processor time. A client that waits for each response before it sends
 * the next token is slowed down by late responses. Accepted tokens never wait for it.
 *
 * The first 100 refusals in a second are sent at once. Later ones are sent after 1 to 2 s, at random times, so that they are
 * not sent together. At most 2,000 refusals wait; the others are sent at once. This applies to rejected tokens and to
 * an overloaded queue. It does not apply to rejections before any asynchronous work (malformed, expired, for another
 * audience), nor to the 503 while the API server is unreachable.
 * @internal
 */
export class RefusalBrake {
  private left = MAX_REFUSALS_PER_SECOND;
  private countedMs: number;
  private held = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number = Math.random,
  ) {
    this.countedMs = clock.monotonicMs();
  }

  /** @returns `undefined` for what is told at once */
  hold(error: unknown): Promise<void> | undefined {
    if (!(error instanceof InvalidTokenError || error instanceof OverloadError)) return undefined;
    const nowMs = this.clock.monotonicMs();
    const gained = ((nowMs - this.countedMs) / 1000) * MAX_REFUSALS_PER_SECOND;
    this.left = Math.min(MAX_REFUSALS_PER_SECOND, this.left + gained);
    this.countedMs = nowMs;
    if (this.left >= 1) {
      this.left--;
      return undefined;
    }
    if (this.held >= MAX_HELD) return undefined;
    this.held++;
    const holdMs = MIN_HOLD_MS + this.random() * (MAX_HOLD_MS - MIN_HOLD_MS);
    return new Promise((resolve) =>
      this.clock.schedule(holdMs, () => {
        this.held--;
        resolve();
      }),
    );
  }
}
