import { type Clock } from '../src/util/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

/** A clock that only moves when a test advances it. */
export class FakeClock implements Clock {
  private elapsedMs = 0;
  private readonly timers = new Set<Timer>();

  /** @param wallStartMs the wall clock's start, milliseconds since the Unix epoch */
  constructor(private wallStartMs: number = Date.UTC(2030, 0, 1)) {}

  wallMs(): number {
    return this.wallStartMs + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  schedule(delayMs: number, task: () => void): () => void {
    const timer: Timer = { dueMs: this.elapsedMs + Math.max(0, delayMs), task };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** Number of pending timers; zero after a clean shutdown. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** Advances both clocks. Runs the timers that become due, in order, and lets promises settle after each one. */
  async advance(ms: number): Promise<void> {
    const endMs = this.elapsedMs + ms;
    for (let next = this.nextDue(endMs); next; next = this.nextDue(endMs)) {
      this.timers.delete(next);
      this.moveTo(next.dueMs);
      next.task();
      await settle();
    }
    this.moveTo(endMs);
    await settle();
  }

  /** Sets only the wall clock, as an operator or NTP would; ages do not change. */
  jumpWall(byMs: number): void {
    this.wallStartMs += byMs;
  }

  // Assigned instead of incremented, because fractional delays (jitter) would add up to a rounding error.
  private moveTo(elapsedMs: number): void {
    this.elapsedMs = Math.max(elapsedMs, this.elapsedMs);
  }

  private nextDue(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.dueMs <= endMs && (!next || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}

/** Runs everything in the event loop that is ready. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
