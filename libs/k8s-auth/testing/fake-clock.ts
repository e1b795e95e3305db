import { type Clock } from '../src/util/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

/** A clock that stands still until a test turns it. */
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

  /** How many timers wait; zero after a clean shutdown. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** Moves both clocks on, calling what is due on the way in order, and lets promises settle in between. */
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

  /** Sets the wall clock alone, as an operator or NTP would; ages do not change. */
  jumpWall(byMs: number): void {
    this.wallStartMs += byMs;
  }

  // Set, not added to: delays with fractions (jitter) must not add up to a rounding error at the end.
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

/** Lets everything that is ready to run in the event loop run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
