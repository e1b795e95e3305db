import { type Figure, judge, type Judgement } from '../figure.js';
import { type Machine, type RunResult, type Section } from './run-result.js';

/** Increased when a member is renamed, removed or changes its meaning; new members do not change it. */
export const SCHEMA_VERSION = 1;

/** The content of docs/performance.json. */
export interface PerformanceReport {
  readonly schemaVersion: number;
  readonly machine: Machine;
  readonly sections: readonly (Omit<Section, 'figures'> & {
    readonly figures: readonly (Figure & { readonly judgement: Judgement })[];
  })[];
}

export function toReport({ machine, sections }: Pick<RunResult, 'machine' | 'sections'>): PerformanceReport {
  return {
    schemaVersion: SCHEMA_VERSION,
    machine,
    sections: sections.map(({ id, title, figures }) => ({
      id,
      title,
      figures: figures.map((figure) => ({ ...figure, judgement: judge(figure) })),
    })),
  };
}
