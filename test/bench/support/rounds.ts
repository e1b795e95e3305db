import { type Value, valueOf } from '../figure.js';

/** What one variant did in one round. */
export interface Sample {
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface RoundsOptions {
  readonly rounds: number;
  /** The server whose CPU per request shows whether the machine is quiet. */
  readonly reference: string;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

// Max/min of the reference over the rounds. More than this, and other programs disturb the measurement.
const NOISY = 1.3;

/** The samples of several variants, taken in turn. Ratios are formed inside a round, where all saw the same machine. */
export class Rounds {
  private readonly rounds: ReadonlyMap<string, Sample>[] = [];

  private constructor(private readonly reference: string) {}

  /** Measures all variants once a round, in rotating order. A noisy machine gets a second set of rounds. */
  static async run(
    variants: readonly string[],
    measure: (variant: string, round: number) => Promise<Sample>,
    options: RoundsOptions,
  ): Promise<Rounds> {
    const result = new Rounds(options.reference);
    await result.add(variants, measure, options);
    if (result.isNoisy) {
      options.progress('noisy machine: one more set of rounds');
      await result.add(variants, measure, options);
    }
    return result;
  }

  /** All rounds of several runs with the same variants. @param runs at least one */
  static join(runs: readonly Rounds[]): Rounds {
    const result = new Rounds(runs[0]?.reference ?? '');
    for (const { rounds } of runs) result.rounds.push(...rounds);
    return result;
  }

  get isNoisy(): boolean {
    const { min, max } = this.cpuUs(this.reference);
    return max / min > NOISY;
  }

  /** For the note of a figure. */
  get note(): string | undefined {
    const { min, max } = this.cpuUs(this.reference);
    return this.isNoisy
      ? `noisy: ${this.reference} took ${min.toFixed(1)} to ${max.toFixed(1)} µs`
      : undefined;
  }

  /** A value that is formed from the CPU per request of the variants, inside each round. */
  value(form: (cpuUs: (variant: string) => number) => number): Value {
    return this.each((sample) => form((variant) => sample(variant).cpuUsPerRequest));
  }

  /** The CPU per request of one variant. */
  cpuUs(variant: string): Value {
    return this.value((cpuUs) => cpuUs(variant));
  }

  /** One field of the samples, such as `requestsPerSecond`. */
  field(variant: string, field: keyof Sample): Value {
    return this.each((sample) => sample(variant)[field]);
  }

  private each(form: (sample: (variant: string) => Sample) => number): Value {
    return valueOf(this.rounds.map((round) => form((variant) => sampleOf(round, variant))));
  }

  private async add(
    variants: readonly string[],
    measure: (variant: string, round: number) => Promise<Sample>,
    { rounds, signal, progress }: RoundsOptions,
  ): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const samples = new Map<string, Sample>();
      for (const variant of rotate(variants, round)) {
        signal.throwIfAborted();
        samples.set(variant, await measure(variant, this.rounds.length));
      }
      this.rounds.push(samples);
      const shown = variants.map((name) => `${name} ${sampleOf(samples, name).cpuUsPerRequest.toFixed(1)}`);
      progress(`round ${this.rounds.length}: ${shown.join(', ')} µs`);
    }
  }
}

/** Starts at another variant each round, so that none is always measured after the same neighbour. */
export function rotate<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function sampleOf(round: ReadonlyMap<string, Sample>, variant: string): Sample {
  const sample = round.get(variant);
  if (!sample) throw new Error(`variant "${variant}" was not measured`);
  return sample;
}
