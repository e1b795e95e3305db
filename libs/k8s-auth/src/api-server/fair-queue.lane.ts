/** A waiting call. */
export interface Waiter {
  readonly address: string;
  readonly connection?: { isClosed(): boolean } | undefined;
  admit(): void;
  refuse(message: string): void;
}

/** The waiting calls of one rank, by peer address. The first address in the map has the next turn. @internal */
export class Lane {
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

  /** Returns the next call, and moves its peer to the end of the order. */
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

  /** Whether no other peer has more waiting calls than this peer. */
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
