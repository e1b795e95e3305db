import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BenchContext, type Figure, judge } from './figure.js';
import { measurements } from './figures/index.js';

const ROUNDS = { full: 7, short: 3 };

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
  },
});
const abort = new AbortController();
const directory = mkdtempSync(join(tmpdir(), 'nest-k8s-auth-bench-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => abort.abort(new Error(`stopped by ${signal}`)));
}
const context: BenchContext = {
  isShort: values.short,
  rounds: Number(values.rounds ?? (values.short ? ROUNDS.short : ROUNDS.full)),
  directory,
  progress: (message) => process.stderr.write(`${message}\n`),
  signal: abort.signal,
};

const figures: Figure[] = [];
for (const measurement of measurements) {
  const { id, title, isInShort } = measurement;
  const isWanted = id.startsWith(values.only) || (values.only !== '' && values.only.startsWith(`${id}.`));
  if (!isWanted || (values.short && !isInShort)) continue;
  context.progress(`== ${title}`);
  figures.push(...(await measurement.run(context)));
}
const shown = (number: number | undefined) => (number === undefined ? '-' : number.toPrecision(3));
for (const figure of figures) {
  const { id, unit, value, note = '' } = figure;
  const range = `${shown(value?.median)} (${shown(value?.min)} to ${shown(value?.max)}) ${unit}`;
  process.stdout.write(`${id.padEnd(36)} ${range.padEnd(34)} ${judge(figure)} ${note}\n`);
}
process.exitCode = figures.some((figure) => judge(figure) === 'gate failed') ? 1 : 0;
