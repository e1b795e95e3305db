import { type BenchArguments } from './arguments.js';
import { type BenchContext, type Figure, type Measurement } from './figure.js';
import { type FailedMeasurement, type RunResult, type Section } from './report/run-result.js';

/** The measurements that the arguments choose. @throws {Error} there is none */
export function chooseMeasurements(
  all: readonly Measurement[],
  { isShort, only }: Pick<BenchArguments, 'isShort' | 'only'>,
): readonly Measurement[] {
  const chosen = all.filter(
    ({ id, isInShort }) => (isInShort || !isShort) && (id.startsWith(only) || only.startsWith(`${id}.`)),
  );
  if (chosen.length > 0) return chosen;
  throw new Error(`no measurement has this ID; the IDs are: ${all.map(({ id }) => id).join(', ')}`);
}

/**
 * Runs one measurement after the other. A measurement that fails does not end the run. After an abort, no further
 * measurement starts.
 */
export async function runMeasurements(
  measurements: readonly Measurement[],
  context: BenchContext,
  only = '',
): Promise<Pick<RunResult, 'sections' | 'failures'>> {
  const sections: Section[] = [];
  const failures: FailedMeasurement[] = [];
  for (const measurement of measurements) {
    const { id, title } = measurement;
    context.progress(`== ${title}`);
    try {
      context.signal.throwIfAborted();
      const figures = chooseFigures(await measurement.run(context), only);
      sections.push({ id, title, figures });
    } catch (error) {
      // After an abort, measurements fail because their processes have ended. The reason for that is the reason to report.
      const { signal } = context;
      const cause: unknown = signal.aborted ? signal.reason : error;
      const message = cause instanceof Error ? cause.message : String(cause);
      failures.push({ title, message: message.split('\n', 1)[0] ?? '' });
      if (signal.aborted) break;
      context.progress(message);
    }
  }
  requireUniqueIds(sections);
  return { sections, failures };
}

/** `warm.ratio` chooses figures of the measurement `warm`. */
function chooseFigures(figures: readonly Figure[], only: string): readonly Figure[] {
  const chosen = figures.filter(({ id }) => id.startsWith(only));
  return chosen.length > 0 ? chosen : figures;
}

/** The JSON file and the costs find figures by their IDs. */
function requireUniqueIds(sections: readonly Section[]): void {
  const ids = sections.flatMap(({ figures }) => figures.map(({ id }) => id));
  const repeated = ids.filter((id, index) => ids.indexOf(id) !== index);
  if (repeated.length > 0) throw new Error(`several figures have the ID ${repeated.join(', ')}`);
}
