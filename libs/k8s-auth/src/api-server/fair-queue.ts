import { VerifierUnavailableError } from '../errors.js';

/** The connection that a request came in on. @publicApi */
export interface CallerConnection {
  /** The peer's IP address; a proxy's, where one stands in between. Empty when nobody can tell. */
  readonly address: string;
  /** Whether the caller has gone: nobody would read an answer. */
  isClosed(): boolean;
}

/**
 * Who goes first: `proven` before `unknown` before `doubtful`. Doubtful calls get at most a quarter of the places, so that
 * a flood of them leaves the others room.
 */
export type Rank = (typeof RANKS)[number];

const RANKS = ['proven', 'unknown', 'doubtful'] as const;

/** Who asks for a place. */
export interface QueuedCall {
  readonly rank: Rank;
  /** Whose request waits; calls without one count as calls of one peer. */
  readonly connection?: CallerConnection | undefined;
}

/** Too many wait. @internal */
export class OverloadError extends VerifierUnavailableError {
  // For users it is nothing of its own.
  override name = 'VerifierUnavailableError';
}

interface Waiter extends QueuedCall {
  readonly address: string;
  admit(): void;
  refuse(message: string): void;
}

/**
 * Lets so many calls run at a time and so many wait. Who may go next:
 *
 * 1. By {@link Rank}.
 * 2. Within a rank the peer addresses take turns, so that a peer with many calls delays its own calls only.
 * 3. The calls of one peer go in the order in which they came.
 * 4. A call whose caller has closed its connection is refused instead: nobody would read the answer.
 *
 * When too many wait, the lowest rank loses a call: the last one of the peer with the most waiting calls.
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
   * Takes a place, or waits for one. Whoever got a place has to {@link leave} it.
   * @returns `undefined` when there was a free place: the call need not wait for the event loop
   * @throws {OverloadError} too many wait, the caller is gone, or the signal fired before its turn
   */
  enter(signal: AbortSignal, call: QueuedCall): Promise<void> | undefined {
    if (!this.hasPlace(call.rank)) return this.waitForTurn(signal, call);
    this.take(call.rank);
    return undefined;
  }

  /** The place goes straight to the next in line, so that a newcomer cannot take it meanwhile. */
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

  private get waiting(): number {
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

  /** @throws {OverloadError} the newcomer is the one to be refused */
  private makeRoom(rank: Rank, address: string): void {
    for (const lane of Object.values(this.lanes)) lane.refuseClosed();
    if (this.waiting < this.maxWaiting) return;
    const message = `overload: ${this.maxWaiting} requests wait for the API server`;
    // The newcomer counts as waiting.
    const lowest = RANKS.findLast((one) => one === rank || this.lanes[one].size > 0) ?? rank;
    const lane = this.lanes[lowest];
    const last = lowest === rank && lane.isLargest(address) ? undefined : lane.lastOfLargest();
    if (!last) throw new OverloadError(message);
    last.refuse(message);
  }
}

/** Waiting calls, by the address of their peer. The first address in the map has the next turn. */
class Lane {
  size = 0;
  private readonly byAddress = new Map<string, Set<Waiter>>();

  add(waiter: Waiter): void {
    const ofPeer = this.byAddress.get(waiter.address);
    if (ofPeer) ofPeer.add(waiter);
    else this.byAddress.set(waiter.address, new Set([waiter]));
    this.size++;
  }

  delete(waiter: Waiter): void {
    const ofPeer = this.byAddress.get(waiter.address);
    if (!ofPeer?.delete(waiter)) return;
    this.size--;
    if (ofPeer.size === 0) this.byAddress.delete(waiter.address);
  }

  /** The one whose turn it is; its peer goes to the end of the line. */
  next(): Waiter | undefined {
    for (const [address, ofPeer] of this.byAddress) {
      for (const waiter of ofPeer) {
        if (waiter.connection?.isClosed()) {
          waiter.refuse('caller has closed its connection');
          continue;
        }
        this.byAddress.delete(address);
        this.byAddress.set(address, ofPeer);
        return waiter;
      }
    }
    return undefined;
  }

  refuseClosed(): void {
    for (const ofPeer of this.byAddress.values()) {
      for (const waiter of ofPeer) {
        if (waiter.connection?.isClosed()) waiter.refuse('caller has closed its connection');
      }
    }
  }

  /** Whether no peer has more calls waiting than this one. */
  isLargest(address: string): boolean {
    return (this.byAddress.get(address)?.size ?? 0) >= (this.largest()?.size ?? 0);
  }

  lastOfLargest(): Waiter | undefined {
    return [...(this.largest() ?? [])].at(-1);
  }

  private largest(): ReadonlySet<Waiter> | undefined {
    let largest: ReadonlySet<Waiter> | undefined;
    for (const ofPeer of this.byAddress.values()) {
      if (ofPeer.size > (largest?.size ?? 0)) largest = ofPeer;
    }
    return largest;
  }
}
