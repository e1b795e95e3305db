import { VerifierUnavailableError } from '../errors.js';

/** Lets so many tasks run at a time and so many wait, first come, first served; refuses the rest at once. @internal */
export class InFlightLimit {
  private running = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /** @throws {VerifierUnavailableError} too many wait, or the signal fired before the task's turn */
  async run<Value>(signal: AbortSignal, task: () => Promise<Value>): Promise<Value> {
    if (this.running < this.maxRunning) this.running++;
    else await this.waitForTurn(signal);
    try {
      return await task();
    } finally {
      const next = this.waiting.values().next().value;
      // The place goes straight to the next in line, so that a newcomer cannot take it meanwhile.
      if (next) next();
      else this.running--;
    }
  }

  private waitForTurn(signal: AbortSignal): Promise<void> {
    if (this.waiting.size >= this.maxWaiting) {
      throw new VerifierUnavailableError(`overload: ${this.maxWaiting} requests wait for the API server`);
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.delete(turn);
        signal.removeEventListener('abort', giveUp);
      };
      const turn = () => {
        leave();
        resolve();
      };
      const giveUp = () => {
        leave();
        reject(
          new VerifierUnavailableError('overload: no free place for a request to the API server in time', {
            cause: signal.reason,
          }),
        );
      };
      this.waiting.add(turn);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
