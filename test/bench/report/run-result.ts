import { type Figure, judge, type Judgement } from '../figure.js';

/** The figures of one measurement. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly figures: readonly Figure[];
}

/** A measurement that ended with an error, so that its figures are missing. */
export interface FailedMeasurement {
  readonly title: string;
  readonly message: string;
}

/** Where and how a run measured. */
export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  /** On which cores servers and load ran, or `not pinned`. */
  readonly pinning: string;
  readonly rounds: number;
  /** The day, such as 2026-03-01. All values change with each run, so the date causes no additional differences. */
  readonly measuredOn: string;
}

export interface RunResult {
  readonly machine: Machine;
  readonly sections: readonly Section[];
  readonly failures: readonly FailedMeasurement[];
}

export function allFigures({ sections }: Pick<RunResult, 'sections'>): readonly Figure[] {
  return sections.flatMap(({ figures }) => figures);
}

export function figuresJudged(result: Pick<RunResult, 'sections'>, judgement: Judgement): readonly Figure[] {
  return allFigures(result).filter((figure) => judge(figure) === judgement);
}

/** A measurement on a machine that other programs disturbed says so at the start of its figures' notes. */
export function isNoisy(result: Pick<RunResult, 'sections'>): boolean {
  return allFigures(result).some(({ note }) => note?.startsWith('noisy'));
}

/** Whether the program has to report a failure: a gate that does not hold, or figures that are missing. */
export function hasFailed(result: Pick<RunResult, 'sections' | 'failures'>): boolean {
  return result.failures.length > 0 || figuresJudged(result, 'gate failed').length > 0;
}
