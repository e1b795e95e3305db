import { type CallerConnection } from '../api-server/fair-queue.js';

/**
 * Concurrent callers with the same key share one piece of work. The result is not kept after it has settled, so the next
 * caller can retry a failure. The work may be abandoned only when the connections of all its callers are closed.
 * @internal
 */
export class SharedWork<Value> {
  private readonly inFlight = new Map<
    string,
    { readonly result: Promise<Value>; readonly callers: JointConnection }
  >();

  /**
   * @returns synchronously if the work does: then there is nothing to share
   * @throws what the work throws synchronously
   */
  run(
    key: string,
    connection: CallerConnection | undefined,
    work: (callers: CallerConnection) => Value | Promise<Value>,
  ): Value | Promise<Value> {
    const shared = this.inFlight.size > 0 ? this.inFlight.get(key) : undefined;
    if (shared) {
      shared.callers.join(connection);
      return shared.result;
    }
    const callers = new JointConnection(connection);
    const outcome = work(callers);
    if (!(outcome instanceof Promise)) return outcome;
    const result = outcome.finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, { result, callers });
    return result;
  }
}

/** The connections of several callers who wait for the same work. It has the address of the first, and is open while any is open. */
class JointConnection implements CallerConnection {
  private readonly connections: (CallerConnection | undefined)[];

  constructor(first: CallerConnection | undefined) {
    this.connections = [first];
  }

  join(connection: CallerConnection | undefined): void {
    this.connections.push(connection);
  }

  get address(): string {
    return this.connections[0]?.address ?? '';
  }

  isClosed(): boolean {
    return this.connections.every((connection) => connection?.isClosed() ?? false);
  }
}
