import { describe, expect, it } from '@jest/globals';
import { SingleFlight } from './timers.js';

/** A task that a test lets finish. */
function heldTask() {
  let runs = 0;
  let finish: (value: string) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const task = () => {
    runs++;
    return new Promise<string>((resolve, reject) => {
      finish = resolve;
      fail = reject;
    });
  };
  return {
    task,
    runs: () => runs,
    finish: (value: string) => finish(value),
    fail: (error: Error) => fail(error),
  };
}

describe('SingleFlight', () => {
  it('shares a run among concurrent callers of a key', async () => {
    const flights = new SingleFlight<string, string>();
    const { task, runs, finish } = heldTask();
    const results = Array.from({ length: 10 }, () => flights.run('key', task));
    finish('value');
    await expect(Promise.all(results)).resolves.toEqual(Array(10).fill('value'));
    expect(runs()).toBe(1);
  });

  it('runs different keys independently', async () => {
    const flights = new SingleFlight<string, string>();
    await expect(
      Promise.all([
        flights.run('a', () => Promise.resolve('1')),
        flights.run('b', () => Promise.resolve('2')),
      ]),
    ).resolves.toEqual(['1', '2']);
  });

  it('keeps nothing of a run that has succeeded or failed', async () => {
    const flights = new SingleFlight<string, string>();
    const { task, runs, fail } = heldTask();
    const failed = Promise.all([flights.run('key', task), flights.run('key', task)]);
    fail(new Error('away'));
    await expect(failed).rejects.toThrow('away');
    await expect(flights.run('key', () => Promise.resolve('back'))).resolves.toBe('back');
    await expect(flights.run('key', () => Promise.resolve('again'))).resolves.toBe('again');
    expect(runs()).toBe(1);
  });

  it('rejects when a task throws at once, and can be used again', async () => {
    const flights = new SingleFlight<string, string>();
    const thrown = flights.run('key', () => {
      throw new Error('at once');
    });
    await expect(thrown).rejects.toThrow('at once');
    await expect(flights.run('key', () => Promise.resolve('value'))).resolves.toBe('value');
  });
});
