import { describe, expect, it } from '@jest/globals';
import { VerifierUnavailableError } from '../errors.js';
import { TurnBudget } from './turn-budget.js';

/** An event loop that turns when it is told to, and a clock that only work advances. */
function loop() {
  let nowMs = 0;
  let next: (() => void) | undefined;
  const done: string[] = [];
  const budget = new TurnBudget(
    () => nowMs,
    (task) => (next = task),
  );
  const run = (name: string, costMs: number) =>
    budget.run((piece) => {
      nowMs += costMs;
      done.push(piece);
      return piece;
    }, name);
  const turn = (): string[] => {
    const task = next;
    next = undefined;
    task?.();
    return done.splice(0);
  };
  return { budget, run, turn, done, isIdle: () => next === undefined };
}

describe('TurnBudget', () => {
  it('runs work at once while the turn has time left, and one piece at least', () => {
    const { run } = loop();
    expect(run('a', 0.1)).toBe('a');
    expect(run('b', 5)).toBe('b');
    expect(run('c', 0.1)).toBeInstanceOf(Promise);
  });

  it('runs the rest in later turns, in the order of arrival, and then nothing more', async () => {
    const { run, turn, done, isIdle } = loop();
    const results = ['a', 'b', 'c', 'd', 'e'].map((name) => run(name, name === 'd' ? 9 : 0.15));
    expect(done.splice(0)).toEqual(['a', 'b']);
    expect(turn()).toEqual(['c', 'd']);
    expect(turn()).toEqual(['e']);
    expect(turn()).toEqual([]);
    expect(isIdle()).toBe(true);
    expect(await Promise.all(results.map((result) => Promise.resolve(result)))).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
    ]);
  });

  it('lets no new work pass the work that waits', () => {
    const { run, turn } = loop();
    void run('a', 1);
    void run('b', 1);
    expect(turn()).toEqual(['a', 'b']);
    void run('c', 0.01);
    expect(turn()).toEqual(['c']);
    expect(run('d', 0.01)).toBe('d');
  });

  it('passes on errors, from work that runs at once and from work that waited', async () => {
    const { budget, run, turn } = loop();
    const fail = () => {
      throw new Error('no');
    };
    expect(() => budget.run(fail, 'input')).toThrow('no');
    void run('a', 1);
    const late = budget.run(fail, 'input');
    turn();
    await expect(late).rejects.toThrow('no');
    expect(run('b', 0.1)).toBe('b');
  });

  it('refuses work when 5,000 pieces wait', () => {
    const { run, turn } = loop();
    for (let n = 0; n < 5_001; n++) void run('a', 1);
    expect(() => run('b', 1)).toThrow(VerifierUnavailableError);
    turn();
    expect(run('c', 1)).toBeInstanceOf(Promise);
  });
});
