import { type Clock } from './clock.js';

const MINUTE_MS = 60_000;

/**
 * Says yes to a topic at most once a minute: trouble that lasts is worth a line a minute, not a line a request.
 * Topics are the caller's own constants or configured names, so their number is bounded.
 * @internal
 */
export class OncePerMinute {
  private readonly lastMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  run(topic: string, action: () => void): void {
    const nowMs = this.clock.monotonicMs();
    const lastMs = this.lastMs.get(topic);
    if (lastMs !== undefined && nowMs - lastMs < MINUTE_MS) return;
    this.lastMs.set(topic, nowMs);
    action();
  }
}
