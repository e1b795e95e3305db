import { describe, expect, it } from '@jest/globals';
import { Rounds, rotate, type Sample } from './rounds.js';

const NAMES = ['none', 'guard', 'go'];

function sample(cpuUsPerRequest: number): Sample {
  return { cpuUsPerRequest, requestsPerSecond: 1_000, p50Ms: 1, p99Ms: 2 };
}

function options(rounds: number, messages: string[] = []) {
  const { signal } = new AbortController();
  return { rounds, reference: 'none', signal, progress: (message: string) => void messages.push(message) };
}

describe('Rounds', () => {
  it('measures every variant once a round, and starts each round with another one', async () => {
    const order: string[] = [];
    const measure = (name: string, round: number) => {
      order.push(`${round} ${name}`);
      return Promise.resolve(sample(10));
    };
    await Rounds.run(NAMES, measure, options(3));
    expect(order).toEqual([
      ...['0 none', '0 guard', '0 go'],
      ...['1 guard', '1 go', '1 none'],
      ...['2 go', '2 none', '2 guard'],
    ]);
  });

  it('forms a ratio inside the round, so that a slow phase of the machine does not count', async () => {
    const slowness = [1, 1.2, 1.1];
    const cpuUs: Record<string, number> = { none: 10, guard: 20, go: 40 };
    const measure = (name: string, round: number) =>
      Promise.resolve(sample((cpuUs[name] ?? 0) * (slowness[round] ?? 1)));
    const rounds = await Rounds.run(NAMES, measure, options(3));
    expect(rounds.value((of) => of('none') / of('guard'))).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
    expect(rounds.cpuUs('none')).toEqual({ median: 11, min: 10, max: 12 });
    expect(rounds.field('go', 'p99Ms')).toEqual({ median: 2, min: 2, max: 2 });
    expect(rounds.note).toBeUndefined();
  });

  it('joins the rounds of several runs', async () => {
    const runOf = (cpuUs: number) => Rounds.run(NAMES, () => Promise.resolve(sample(cpuUs)), options(2));
    const joined = Rounds.join([await runOf(10), await runOf(14), await runOf(10.5)]);
    expect(joined.cpuUs('go')).toEqual({ median: 10.5, min: 10, max: 14 });
    expect(joined.note).toBe('noisy: none took 10.0 to 14.0 µs');
  });

  it('takes a second set of rounds on a noisy machine, and says so', async () => {
    const messages: string[] = [];
    const measured: number[] = [];
    const measure = (name: string, round: number) => {
      if (name === 'none') measured.push(round);
      return Promise.resolve(sample(round === 1 ? 14 : 10));
    };
    const rounds = await Rounds.run(NAMES, measure, options(2, messages));
    expect(measured).toEqual([0, 1, 2, 3]);
    expect(messages).toContain('noisy machine: one more set of rounds');
    expect(rounds.note).toBe('noisy: none took 10.0 to 14.0 µs');
  });

  it('stops between two measurements when the bench is aborted', async () => {
    const abort = new AbortController();
    let count = 0;
    const measure = () => {
      count++;
      abort.abort(new Error('stopped by SIGINT'));
      return Promise.resolve(sample(10));
    };
    const running = Rounds.run(NAMES, measure, { ...options(2), signal: abort.signal });
    await expect(running).rejects.toThrow('stopped by SIGINT');
    expect(count).toBe(1);
  });

  it('names a variant that was not measured', async () => {
    const rounds = await Rounds.run(NAMES, () => Promise.resolve(sample(10)), options(1));
    expect(() => rounds.cpuUs('java')).toThrow('variant "java" was not measured');
  });
});

describe('rotate', () => {
  it.each([
    [0, ['a', 'b', 'c']],
    [1, ['b', 'c', 'a']],
    [5, ['c', 'a', 'b']],
  ])('by %i', (by, expected) => {
    expect(rotate(['a', 'b', 'c'], by)).toEqual(expected);
  });

  it('accepts an empty list', () => {
    expect(rotate([], 3)).toEqual([]);
  });
});
