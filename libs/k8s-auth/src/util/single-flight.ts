/**
 * Concurrent callers with the same key share one run. The result is not kept after the run has settled, so the next
 * caller can retry a failure.
 * @internal
 */
export class SingleFlight<Key, Value> {
  private readonly running = new Map<Key, Promise<Value>>();

  run(key: Key, task: () => Promise<Value>): Promise<Value> {
    const shared = this.running.get(key);
    if (shared) return shared;
    // Inside an async function, so that a task that throws synchronously also rejects.
    const run = (async () => task())().finally(() => this.running.delete(key));
    this.running.set(key, run);
    return run;
  }
}
