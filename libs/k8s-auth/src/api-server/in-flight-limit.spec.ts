import { describe, expect, it } from '@jest/globals';
import { VerifierUnavailableError } from '../errors.js';
import { InFlightLimit } from './in-flight-limit.js';

/** A task that ends when it is told to. */
function task() {
  let finish = () => {};
  const done = new Promise<void>((resolve) => (finish = resolve));
  const state = { isRunning: false };
  const run = async () => {
    state.isRunning = true;
    await done;
  };
  return { run, finish: () => finish(), state };
}

const never = new AbortController().signal;

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('InFlightLimit', () => {
  it('runs so many at a time, the rest in the order they came', async () => {
    const limit = new InFlightLimit(2, 10);
    const tasks = Array.from({ length: 4 }, task);
    const [first, second, third, fourth] = tasks.map(({ run }) => limit.run(never, run));
    await settle();
    expect(tasks.map(({ state }) => state.isRunning)).toStrictEqual([true, true, false, false]);
    tasks[1]?.finish();
    await second;
    await settle();
    expect(tasks.map(({ state }) => state.isRunning)).toStrictEqual([true, true, true, false]);
    tasks.forEach(({ finish }) => finish());
    await Promise.all([first, third, fourth]);
    await expect(limit.run(never, () => Promise.resolve('free again'))).resolves.toBe('free again');
  });

  it('gives the place of a task that has ended to the next in line, not to a newcomer', async () => {
    const limit = new InFlightLimit(1, 10);
    const [first, next, newcomer] = [task(), task(), task()];
    // Comes while the place changes hands.
    const runs = [
      limit.run(never, first.run).then(() => limit.run(never, newcomer.run)),
      limit.run(never, next.run),
    ];
    await settle();
    first.finish();
    await settle();
    expect([next, newcomer].map(({ state }) => state.isRunning)).toStrictEqual([true, false]);
    // And while the next in line has it.
    const late = task();
    runs.push(limit.run(never, late.run));
    await settle();
    expect([newcomer, late].map(({ state }) => state.isRunning)).toStrictEqual([false, false]);
    next.finish();
    await settle();
    expect([newcomer, late].map(({ state }) => state.isRunning)).toStrictEqual([true, false]);
    [newcomer, late].forEach(({ finish }) => finish());
    await Promise.all(runs);
  });

  it('refuses at once when too many wait', async () => {
    const limit = new InFlightLimit(1, 1);
    const tasks = [task(), task()];
    const runs = tasks.map(({ run }) => limit.run(never, run));
    await expect(limit.run(never, () => Promise.resolve())).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
    });
    tasks.forEach(({ finish }) => finish());
    await Promise.all(runs);
  });

  it('frees the place of a task that failed', async () => {
    const limit = new InFlightLimit(1, 1);
    await expect(limit.run(never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(limit.run(never, () => Promise.resolve('next'))).resolves.toBe('next');
  });

  it('lets go of one that gave up waiting', async () => {
    const limit = new InFlightLimit(1, 1);
    const running = task();
    const run = limit.run(never, running.run);
    const impatient = new AbortController();
    const waiting = limit.run(impatient.signal, () => Promise.resolve('too late'));
    impatient.abort(new Error('time is up'));
    await expect(waiting).rejects.toBeInstanceOf(VerifierUnavailableError);
    const patient = limit.run(never, () => Promise.resolve('its turn'));
    running.finish();
    await run;
    await expect(patient).resolves.toBe('its turn');
  });
});
