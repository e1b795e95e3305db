import { VerifierUnavailableError } from '../errors.js';

/** The connection that a request came in on. @publicApi */
export interface CallerConnection {
  /** The peer's IP address; a proxy's, where one stands in between. Empty when nobody can tell. */
  readonly address: string;
  /** Whether the caller has gone: nobody would read an answer. */
  isClosed(): boolean;
}

/** Who asks for a place. */
export interface QueuedCall {
  /** Calls that are known to be worth their place go before all others. */
  readonly isFirst: boolean;
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
 * 1. First the calls that are `isFirst`, then the others.
 * 2. Among them the peer addresses take turns, so that a peer with many calls delays its own calls only.
 * 3. The calls of one peer go in the order in which they came.
 * 4. A call whose caller has closed its connection is refused instead: nobody would read the answer.
 *
 * When too many wait, the peer with the most waiting calls loses its last one, a peer without `isFirst` before others.
 * @internal
 */
export class FairQueue {
  private running = 0;
  private readonly first = new Lane();
  private readonly others = new Lane();

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
    if (this.running >= this.maxRunning) return this.waitForTurn(signal, call);
    this.running++;
    return undefined;
  }

  /** The place goes straight to the next in line, so that a newcomer cannot take it meanwhile. */
  leave(): void {
    const next = this.first.next() ?? this.others.next();
    if (next) next.admit();
    else this.running--;
  }

  private waitForTurn(signal: AbortSignal, call: QueuedCall): Promise<void> {
    const lane = call.isFirst ? this.first : this.others;
    const address = call.connection?.address ?? '';
    if (this.first.size + this.others.size >= this.maxWaiting) this.makeRoom(lane, address);
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
  private makeRoom(lane: Lane, address: string): void {
    this.first.refuseClosed();
    this.others.refuseClosed();
    if (this.first.size + this.others.size < this.maxWaiting) return;
    const message = `overload: ${this.maxWaiting} requests wait for the API server`;
    const isMostGreedy = lane === this.others || this.others.size === 0 ? lane.isLargest(address) : false;
    const last = isMostGreedy ? undefined : (this.others.size > 0 ? this.others : lane).lastOfLargest();
    if (!last) throw new OverloadError(message);
    last.refuse(message);
  }
}

/** Waiting calls, by the address of their peer. The first address in the map is the next to have a turn. */
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
