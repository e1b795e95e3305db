/** The median of the rounds, and their extremes. An exact count has one value. */
export interface Value {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What a figure should be at least or at most. A gate that does not hold fails the bench; a missed goal is only printed. */
export interface Limit {
  /** Whether a larger or a smaller value is better; `exactly` allows no other value. */
  readonly better: 'larger' | 'smaller' | 'exactly';
  readonly goal: number;
  readonly gate: number;
}

/** One row of the table. */
export interface Figure {
  /** Stable and unique, such as `warm.ratio.jwt-pubkey`. The JSON file and the charts use it. */
  readonly id: string;
  /** What was measured, in words. */
  readonly name: string;
  /** `ratio`, `us`, `ms`, `bytes`, `count`, `requests/s`, and so on. */
  readonly unit: string;
  /** Absent if it was not run, for example because Go is not installed. `note` then says why. */
  readonly value?: Value;
  /** Absent for a row that is printed for people only. */
  readonly limit?: Limit;
  readonly note?: string;
}

export type Judgement = 'held' | 'goal missed' | 'gate failed' | 'not judged' | 'not run';

/** What the whole bench run has in common. */
export interface BenchContext {
  /** Fewer rounds, and only what `.ci/run` needs. */
  readonly isShort: boolean;
  readonly rounds: number;
  /** A directory that is removed at the end. */
  readonly directory: string;
  /** Prints one line of progress. */
  progress(message: string): void;
  /** Aborted by Ctrl-C, by a failure and by the time limit. */
  readonly signal: AbortSignal;
}

/** Measures one or several figures. */
export interface Measurement {
  /** The prefix of the IDs of its figures, for `--only`. */
  readonly id: string;
  readonly title: string;
  /** Whether `--short` runs it. */
  readonly isInShort: boolean;
  run(context: BenchContext): Promise<readonly Figure[]>;
}

export function exactly(count: number): Value {
  return { median: count, min: count, max: count };
}

export function valueOf(rounds: readonly number[]): Value {
  const sorted = [...rounds].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

export function judge({ value, limit }: Figure): Judgement {
  if (!value) return 'not run';
  if (!limit) return 'not judged';
  if (!reaches(value.median, limit.better, limit.gate)) return 'gate failed';
  return reaches(value.median, limit.better, limit.goal) ? 'held' : 'goal missed';
}

function reaches(median: number, better: Limit['better'], bound: number): boolean {
  if (better === 'exactly') return median === bound;
  return better === 'larger' ? median >= bound : median <= bound;
}
