import { VerifierUnavailableError } from '../errors.js';
import { type Deadline } from '../util/timers.js';
import { Lane, type Waiter } from './fair-queue.lane.js';

/** The connection that a request came in on. @publicApi */
export interface CallerConnection {
  /** The IP address of the peer, which may be a proxy. Empty if it is unknown. */
  readonly address: string;
  /** Whether the caller has closed the connection, so that nobody would read an answer. */
  isClosed(): boolean;
}

/**
 * The priority of a call: `proven` before `unknown` before `doubtful`. Doubtful calls get at most a quarter of the
 * places, so that a flood of them leaves places for the others.
 */
export type Rank = (typeof RANKS)[number];

const RANKS = ['proven', 'unknown', 'doubtful'] as const;

/** A call that needs a place. */
export interface QueuedCall {
  readonly rank: Rank;
  /** The connection of the waiting request; all calls without a connection count as calls of one peer. */
  readonly connection?: CallerConnection | undefined;
}

/** Too many calls are waiting. @internal */
export class OverloadError extends VerifierUnavailableError {
  // Users see the name of the public class: this subclass is internal.
  override name = 'VerifierUnavailableError';
}

/**
 * Limits how many calls run at a time and how many wait. The order of the waiting calls:
 *
 * 1. By {@link Rank}.
 * 2. Within a rank the peer addresses take turns, so that a peer with many calls delays only its own calls.
 * 3. The calls of one peer keep the order in which they arrived.
 * 4. If the caller has closed its connection, the call is refused, because nobody would read the answer.
 *
 * When too many calls wait, one call of the lowest rank is refused: the last call of the peer with the most waiting
 * calls.
 * @internal
 */
export class FairQueue {
  private running = 0;
  private doubtfulRunning = 0;
  private readonly lanes = { proven: new Lane(), unknown: new Lane(), doubtful: new Lane() };

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * Takes a place, or waits for one. A call that got a place must {@link leave} it.
   * @returns `undefined` if there was a free place, so that the call does not wait for the event loop
   * @throws {OverloadError} too many calls wait, the caller closed its connection, or the signal fired before the turn
   */
  enter(deadline: Pick<Deadline, 'signal'>, call: QueuedCall): Promise<void> | undefined {
    if (!this.hasPlace(call.rank)) return this.waitForTurn(deadline.signal, call);
    this.take(call.rank);
    return undefined;
  }

  /** Gives the place directly to the next waiting call, so that a new call cannot take it first. */
  leave({ rank }: QueuedCall): void {
    this.running--;
    if (rank === 'doubtful') this.doubtfulRunning--;
    for (const next of RANKS) {
      const waiter = this.hasPlace(next) ? this.lanes[next].next() : undefined;
      if (!waiter) continue;
      this.take(next);
      waiter.admit();
      return;
    }
  }

  private hasPlace(rank: Rank): boolean {
    const isRoomForRank = rank !== 'doubtful' || this.doubtfulRunning < this.maxRunning / 4;
    return this.running < this.maxRunning && isRoomForRank;
  }

  private take(rank: Rank): void {
    this.running++;
    if (rank === 'doubtful') this.doubtfulRunning++;
  }

  /** The number of calls that have a place. */
  get inFlight(): number {
    return this.running;
  }

  /** The number of calls that wait for a place. */
  get waiting(): number {
    return Object.values(this.lanes).reduce((sum, { size }) => sum + size, 0);
  }

  private waitForTurn(signal: AbortSignal, call: QueuedCall): Promise<void> {
    const address = call.connection?.address ?? '';
    if (this.waiting >= this.maxWaiting) this.makeRoom(call.rank, address);
    const lane = this.lanes[call.rank];
    return new Promise((resolve, reject) => {
      const leave = () => {
        lane.delete(waiter);
        signal.removeEventListener('abort', giveUp);
      };
      const refuse = (message: string) => {
        leave();
        reject(new OverloadError(message, signal.aborted ? { cause: signal.reason } : undefined));
      };
      const giveUp = () => refuse('overload: no free place for a request to the API server in time');
      const admit = () => {
        leave();
        resolve();
      };
      const waiter: Waiter = { ...call, address, admit, refuse };
      lane.add(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** @throws {OverloadError} the new call is the one to refuse */
  private makeRoom(rank: Rank, address: string): void {
    for (const lane of Object.values(this.lanes)) lane.refuseClosed();
    if (this.waiting < this.maxWaiting) return;
    const message = `overload: ${this.maxWaiting} requests wait for the API server`;
    // The new call counts as a waiting call.
    const lowest = RANKS.findLast((one) => one === rank || this.lanes[one].size > 0) ?? rank;
    const lane = this.lanes[lowest];
    const last = lowest === rank && lane.isLargest(address) ? undefined : lane.lastOfLargest();
    if (!last) throw new OverloadError(message);
    last.refuse(message);
  }
}
