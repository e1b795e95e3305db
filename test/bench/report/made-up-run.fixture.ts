import { type Figure, type Limit, type Value } from '../figure.js';
import { type RunResult } from './run-result.js';

/** At least 0.9, not less than 0.75. */
export const LARGER: Limit = { better: 'larger', goal: 0.9, gate: 0.75 };

/** A ratio, the same in all rounds or with extremes. */
export function ratio(id: string, value: number | Value | undefined, more: Partial<Figure> = {}): Figure {
  const full = typeof value === 'number' ? { median: value, min: value, max: value } : value;
  return { id, name: `ratio of ${id}`, unit: 'ratio', ...(full && { value: full }), ...more };
}

export function resultOf(figures: readonly Figure[], more: Partial<RunResult> = {}): RunResult {
  return {
    machine: {
      node: '20.19.0',
      cpu: 'made-up processor',
      cores: 2,
      pinning: 'servers on core 0, load on core 1',
      rounds: 7,
      measuredOn: '2030-01-01',
    },
    sections: [{ id: 'warm', title: 'warm requests', figures }],
    failures: [],
    ...more,
  };
}
