/**
 * Lets concurrent callers of the same key share one run. Nothing is remembered once the run has settled, so a
 * failure can be tried again by the next caller.
 * @internal
 */
export class SingleFlight<Key, Value> {
  private readonly running = new Map<Key, Promise<Value>>();

  run(key: Key, task: () => Promise<Value>): Promise<Value> {
    const shared = this.running.get(key);
    if (shared) return shared;
    // Inside an async function, so that a task that throws at once rejects like any other.
    const run = (async () => task())().finally(() => this.running.delete(key));
    this.running.set(key, run);
    return run;
  }
}
