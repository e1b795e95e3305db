import { describe, expect, it } from '@jest/globals';
import { formatValue } from './format.js';
import { LARGER, ratio, resultOf } from './made-up-run.fixture.js';
import { hasFailed } from './run-result.js';
import { renderTable } from './table.js';

describe('the table of a run', () => {
  it('has one line for each figure, below the title of its measurement', () => {
    const value = { median: 0.912, min: 0.88, max: 0.934 };
    const count = {
      id: 'reviews',
      name: 'reviews',
      unit: 'count',
      value: { median: 200, min: 200, max: 200 },
    };
    const lines = renderTable(resultOf([ratio('warm.a', value, { limit: LARGER }), count])).split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'figure             median [min..max]    goal   gate    judgement   note',
      'warm requests',
      '  ratio of warm.a  0.912 [0.88..0.934]  ≥ 0.9  ≥ 0.75  held',
      '  reviews          200                                 not judged',
    ]);
  });

  it('names each missed goal and each failed gate below the table', () => {
    const missed = ratio('warm.missed', 0.8, { limit: LARGER });
    const failed = ratio('warm.failed', 0.5, { limit: LARGER });
    const held = ratio('warm.held', 0.95, { limit: LARGER });
    const remarks = renderTable(resultOf([missed, failed, held]));
    expect(remarks).toContain('\ngoal missed: ratio of warm.missed: 0.8, goal ≥ 0.9, gate ≥ 0.75\n');
    expect(remarks).toContain('\nGATE FAILED: ratio of warm.failed: 0.5, goal ≥ 0.9, gate ≥ 0.75\n');
    expect(remarks).toContain('\n3 figures: 1 held, 1 goal missed, 1 gate failed, 0 not judged, 0 not run\n');
    expect(remarks).not.toContain('missed: ratio of warm.held');
  });

  it('says why a figure was not run', () => {
    const table = renderTable(resultOf([ratio('warm.go', undefined, { note: 'Go is not installed' })]));
    expect(table).toMatch(/ratio of warm\.go +not run +not run +Go is not installed/);
  });

  it('says that the machine was noisy only if a measurement says so', () => {
    const noisy = ratio('warm.a', 1, { note: 'noisy: none took 20 to 40 µs' });
    expect(renderTable(resultOf([noisy]))).toContain('\nnoisy machine: ');
    expect(renderTable(resultOf([ratio('warm.a', 1)]))).not.toContain('noisy');
  });

  it('says whether the processes were pinned', () => {
    const { machine } = resultOf([]);
    const unpinned = resultOf([], { machine: { ...machine, pinning: 'not pinned' } });
    expect(renderTable(unpinned)).toContain('2 cores, not pinned, 7 rounds');
    expect(renderTable(resultOf([]))).toContain('2 cores, servers on core 0, load on core 1, 7 rounds');
  });

  it('names each measurement that failed', () => {
    const failures = [{ title: 'cold requests', message: 'a server answered 500' }];
    expect(renderTable(resultOf([], { failures }))).toContain(
      '\nMEASUREMENT FAILED: cold requests: a server answered 500\n',
    );
  });
});

describe('a run has failed', () => {
  const failures = [{ title: 'cold requests', message: 'a server answered 500' }];
  it.each([
    ['a gate failed', resultOf([ratio('a', 0.1, { limit: LARGER })]), true],
    ['a measurement failed', resultOf([], { failures }), true],
    ['a goal was missed', resultOf([ratio('a', 0.8, { limit: LARGER })]), false],
    ['a figure was not run', resultOf([ratio('a', undefined, { limit: LARGER })]), false],
  ])('or not, if %s', (_, result, expected) => expect(hasFailed(result)).toBe(expected));
});

describe('a value', () => {
  it.each([
    ['us', 20.456, '20.5 µs'],
    ['requests/s', 48_812.4, '48,800 requests/s'],
    ['bytes', 1_234, '1,234 bytes'],
    ['ratio', 0.9049, '0.905'],
    ['count', 1_234_567, '1,234,567'],
  ])('in %s is rounded to three digits, unless it is a whole number', (unit, median, expected) => {
    expect(formatValue({ unit, value: { median, min: median, max: median } })).toBe(expected);
  });
});
