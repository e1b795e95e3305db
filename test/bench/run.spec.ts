import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './arguments.js';
import { exactly, type Figure, type Measurement } from './figure.js';
import { chooseMeasurements, runMeasurements } from './run.js';

function measurement(id: string, more: Partial<Measurement> = {}): Measurement {
  const figure: Figure = { id: `${id}.a`, name: id, unit: 'count', value: exactly(1) };
  return { id, title: `title of ${id}`, isInShort: false, run: () => Promise.resolve([figure]), ...more };
}

function contextWith(signal = new AbortController().signal) {
  const lines: string[] = [];
  const progress = (message: string) => void lines.push(message);
  return { lines, context: { isShort: false, rounds: 1, directory: '/unused', progress, signal } };
}

const ALL = [measurement('warm', { isInShort: true }), measurement('cold'), measurement('cold-start')];
const idsOf = (args: string[]) => chooseMeasurements(ALL, parseArguments(args)).map(({ id }) => id);

describe('the arguments', () => {
  it.each([
    [[], ['warm', 'cold', 'cold-start']],
    [['--short'], ['warm']],
    [
      ['--only', 'cold'],
      ['cold', 'cold-start'],
    ],
    [['--only', 'cold.a'], ['cold']],
  ])('%j choose the measurements %j', (args, expected) => expect(idsOf(args)).toEqual(expected));

  it('write the documentation only after a run of everything', () => {
    expect(parseArguments([]).writesDocs).toBe(true);
    expect(parseArguments(['--rounds', '3'])).toMatchObject({ writesDocs: true, rounds: 3 });
    expect(parseArguments(['--short']).writesDocs).toBe(false);
    expect(parseArguments(['--only', 'warm']).writesDocs).toBe(false);
  });

  it('are rejected if no measurement has the ID, and the IDs are named', () => {
    expect(() => idsOf(['--only', 'hot'])).toThrow('the IDs are: warm, cold, cold-start');
  });

  it.each([[['--rounds', '0']], [['--rounds', '1.5']], [['--rounds', 'many']], [['--fast']], [['warm']]])(
    'are rejected if they are %j',
    (args) => expect(() => parseArguments(args)).toThrow(),
  );
});

describe('a run', () => {
  it('continues after a measurement that fails, and reports it', async () => {
    const failing = measurement('cold', { run: () => Promise.reject(new Error('answered 500\nmore')) });
    const { lines, context } = contextWith();
    const { sections, failures } = await runMeasurements([failing, measurement('warm')], context);
    expect(failures).toEqual([{ title: 'title of cold', message: 'answered 500' }]);
    expect(sections.map(({ id }) => id)).toEqual(['warm']);
    expect(lines).toContain('answered 500\nmore');
  });

  it('starts no other measurement after it was aborted', async () => {
    const abort = new AbortController();
    const run = () => {
      abort.abort(new Error('stopped by SIGINT'));
      return Promise.reject(new Error('a server has ended'));
    };
    const { context } = contextWith(abort.signal);
    const all = [measurement('warm'), measurement('cold', { run }), measurement('never')];
    const { sections, failures } = await runMeasurements(all, context);
    expect(sections.map(({ id }) => id)).toEqual(['warm']);
    expect(failures).toEqual([{ title: 'title of cold', message: 'stopped by SIGINT' }]);
  });

  it('is a failure if it was aborted between two measurements', async () => {
    const { context } = contextWith(AbortSignal.abort(new Error('time limit')));
    const { failures } = await runMeasurements([measurement('warm')], context);
    expect(failures).toEqual([{ title: 'title of warm', message: 'time limit' }]);
  });

  it('shows only the figures whose IDs start as asked', async () => {
    const names = ['warm.ratio.a', 'warm.cpu.a', 'warm.ratio.b'];
    const figures = names.map((id): Figure => ({ id, name: id, unit: 'ratio' }));
    const all = [measurement('warm', { run: () => Promise.resolve(figures) })];
    const { sections } = await runMeasurements(all, contextWith().context, 'warm.ratio');
    expect(sections[0]?.figures.map(({ id }) => id)).toEqual(['warm.ratio.a', 'warm.ratio.b']);
  });

  it('rejects two figures with the same ID', async () => {
    const all = [measurement('warm'), measurement('warm')];
    await expect(runMeasurements(all, contextWith().context)).rejects.toThrow('have the ID warm.a');
  });
});
