import { describe, expect, it } from '@jest/globals';
import { exactly, judge, type Limit, valueOf } from './figure.js';

function judgementOf(median: number, limit: Limit): string {
  return judge({ id: 'a', name: 'a', unit: 'ratio', value: exactly(median), limit });
}

describe('the judgement of a figure', () => {
  const larger: Limit = { better: 'larger', goal: 0.9, gate: 0.75 };
  it.each([
    [0.95, 'held'],
    [0.9, 'held'],
    [0.89, 'goal missed'],
    [0.75, 'goal missed'],
    [0.749, 'gate failed'],
    [Number.NaN, 'gate failed'],
  ])('is, if larger is better and the median is %d: %s', (median, expected) => {
    expect(judgementOf(median, larger)).toBe(expected);
  });

  const smaller: Limit = { better: 'smaller', goal: 1, gate: 2 };
  it.each([
    [0.5, 'held'],
    [1, 'held'],
    [1.01, 'goal missed'],
    [2, 'goal missed'],
    [2.01, 'gate failed'],
    [Number.NaN, 'gate failed'],
  ])('is, if smaller is better and the median is %d: %s', (median, expected) => {
    expect(judgementOf(median, smaller)).toBe(expected);
  });

  it.each([
    [200, 'held'],
    [199, 'gate failed'],
    [201, 'gate failed'],
  ])('is, if exactly 200 are expected and %d are counted: %s', (count, expected) => {
    expect(judgementOf(count, { better: 'exactly', goal: 200, gate: 200 })).toBe(expected);
  });

  it('uses the median, not the extremes', () => {
    const value = { median: 0.9, min: 0.1, max: 5 };
    expect(judge({ id: 'a', name: 'a', unit: 'ratio', value, limit: larger })).toBe('held');
  });

  it('is "not run" without a value and "not judged" without a limit', () => {
    expect(judge({ id: 'a', name: 'a', unit: 'ratio', limit: larger })).toBe('not run');
    expect(judge({ id: 'a', name: 'a', unit: 'ratio', value: exactly(1) })).toBe('not judged');
  });
});

describe('the value of several rounds', () => {
  it('has the middle round as median, whatever the order', () => {
    expect(valueOf([30, 10, 2])).toEqual({ median: 10, min: 2, max: 30 });
  });

  it('has the average of the two middle rounds as median if their number is even', () => {
    expect(valueOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  });
});
