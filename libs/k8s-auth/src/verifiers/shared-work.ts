import { type CallerConnection } from '../api-server/fair-queue.js';

/**
 * Lets concurrent callers of the same key share one piece of work. Nothing is remembered once it has settled, so a
 * failure can be tried again by the next caller. The work is done for all of them: it may be given up once all have gone.
 * @internal
 */
export class SharedWork<Value> {
  private readonly underWay = new Map<
    string,
    { readonly result: Promise<Value>; readonly callers: JointConnection }
  >();

  run(
    key: string,
    connection: CallerConnection | undefined,
    work: (callers: CallerConnection) => Promise<Value>,
  ): Promise<Value> {
    const shared = this.underWay.get(key);
    if (shared) {
      shared.callers.join(connection);
      return shared.result;
    }
    const callers = new JointConnection(connection);
    // Inside an async function, so that work that throws at once rejects like any other.
    const result = (async () => work(callers))().finally(() => this.underWay.delete(key));
    this.underWay.set(key, { result, callers });
    return result;
  }
}

/** Of several callers who wait for the same: it counts as a connection of the first, and as open while one of them is. */
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
