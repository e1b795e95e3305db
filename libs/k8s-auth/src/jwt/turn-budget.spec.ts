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
  const work = (name: string, costMs: number) => () => {
    nowMs += costMs;
    done.push(name);
    return name;
  };
  const turn = (): string[] => {
    const task = next;
    next = undefined;
    task?.();
    return done.splice(0);
  };
  return { budget, work, turn, done, isIdle: () => next === undefined };
}

describe('TurnBudget', () => {
  it('runs work at once while the turn has time left, and one piece at least', () => {
    const { budget, work } = loop();
    expect(budget.run(work('a', 0.1))).toBe('a');
    expect(budget.run(work('b', 5))).toBe('b');
    expect(budget.run(work('c', 0.1))).toBeInstanceOf(Promise);
  });

  it('runs the rest in later turns, in the order of arrival, and then nothing more', async () => {
    const { budget, work, turn, done, isIdle } = loop();
    const results = ['a', 'b', 'c', 'd', 'e'].map((name) => budget.run(work(name, name === 'd' ? 9 : 0.15)));
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
    const { budget, work, turn } = loop();
    void budget.run(work('a', 1));
    void budget.run(work('b', 1));
    expect(turn()).toEqual(['a', 'b']);
    void budget.run(work('c', 0.01));
    expect(turn()).toEqual(['c']);
    expect(budget.run(work('d', 0.01))).toBe('d');
  });

  it('passes on errors, from work that runs at once and from work that waited', async () => {
    const { budget, work, turn } = loop();
    const fail = () => {
      throw new Error('no');
    };
    expect(() => budget.run(fail)).toThrow('no');
    void budget.run(work('a', 1));
    const late = budget.run(fail);
    turn();
    await expect(late).rejects.toThrow('no');
    expect(budget.run(work('b', 0.1))).toBe('b');
  });

  it('refuses work when 5,000 pieces wait', () => {
    const { budget, work, turn } = loop();
    for (let n = 0; n < 5_001; n++) void budget.run(work('a', 1));
    expect(() => budget.run(work('b', 1))).toThrow(VerifierUnavailableError);
    turn();
    expect(budget.run(work('c', 1))).toBeInstanceOf(Promise);
  });
});
