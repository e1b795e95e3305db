import { describe, expect, it } from '@jest/globals';
import { type CallerConnection } from '../api-server/fair-queue.js';
import { SharedWork } from './shared-work.js';

function connection(address: string): CallerConnection & { close(): void } {
  let isClosed = false;
  return { address, isClosed: () => isClosed, close: () => void (isClosed = true) };
}

/** Work that ends when it is told to. */
function work() {
  let finish = (_: string) => {};
  const result = new Promise<string>((resolve) => (finish = resolve));
  const seen: CallerConnection[] = [];
  const run = (callers: CallerConnection) => {
    seen.push(callers);
    return result;
  };
  return { run, seen, finish: (value: string) => finish(value) };
}

/** Collects the results of calls that may return synchronously. */
const all = (results: readonly (string | Promise<string>)[]) =>
  Promise.all(results.map((result) => Promise.resolve(result)));

describe('SharedWork', () => {
  it('runs once for concurrent callers, and again for later callers', async () => {
    const shared = new SharedWork<string>();
    const [first, second] = [work(), work()];
    const both = [shared.run('key', undefined, first.run), shared.run('key', undefined, second.run)];
    first.finish('done');
    expect(await all(both)).toEqual(['done', 'done']);
    expect(second.seen).toHaveLength(0);
    second.finish('again');
    expect(await shared.run('key', undefined, second.run)).toBe('again');
  });

  it('returns synchronously if the work does, and throws what it throws', () => {
    const shared = new SharedWork<string>();
    expect(shared.run('key', undefined, () => 'done')).toBe('done');
    const fail = () => {
      throw new Error('no');
    };
    expect(() => shared.run('key', undefined, fail)).toThrow('no');
    expect(shared.run('key', undefined, () => 'again')).toBe('again');
  });

  it('is not shared between keys', async () => {
    const shared = new SharedWork<string>();
    expect(await shared.run('a', undefined, () => Promise.resolve('a'))).toBe('a');
    expect(await shared.run('b', undefined, () => Promise.resolve('b'))).toBe('b');
  });

  it('is cancelled only when all callers have disconnected', async () => {
    const shared = new SharedWork<string>();
    const { run, seen, finish } = work();
    const [one, other] = [connection('10.0.0.1'), connection('10.0.0.2')];
    const results = [shared.run('key', one, run), shared.run('key', other, run)];
    one.close();
    expect(seen[0]?.isClosed()).toBe(false);
    other.close();
    expect(seen[0]?.isClosed()).toBe(true);
    expect(seen[0]?.address).toBe('10.0.0.1');
    finish('done');
    await all(results);
  });

  it('is never cancelled while a caller without a connection waits', async () => {
    const shared = new SharedWork<string>();
    const { run, seen, finish } = work();
    const one = connection('10.0.0.1');
    const results = [shared.run('key', one, run), shared.run('key', undefined, run)];
    one.close();
    expect(seen[0]?.isClosed()).toBe(false);
    finish('done');
    await all(results);
  });
});
