// npm run stats [-- --check [--max-files 185] [--min-median 55] [--max-median 110] [--max-lines 200]]
// Prints how many source files a folder has, without tests and fixtures, and how long they are. With --check it exits
// with 1 if a limit is exceeded.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    'max-files': { type: 'string', default: '185' },
    'min-median': { type: 'string', default: '55' },
    'max-median': { type: 'string', default: '110' },
    'max-lines': { type: 'string', default: '200' },
  },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error(
    'usage: stats.mjs FOLDER [--check] [--max-files N] [--min-median N] [--max-median N] [--max-lines N]',
  );
  process.exit(2);
}
const maxLines = Number(values['max-lines']);

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter(
    (entry) =>
      entry.isFile() && /\.ts$/.test(entry.name) && !/\.(spec|contract|fixture)\.ts$/.test(entry.name),
  )
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path, lines: readFileSync(path, 'utf8').split('\n').length - 1 }))
  .sort((a, b) => a.lines - b.lines);
const median = medianOf(files.map(({ lines }) => lines));

const figures = [
  { name: 'source files', value: files.length, min: 1, max: Number(values['max-files']) },
  {
    name: 'median lines',
    value: median,
    min: Number(values['min-median']),
    max: Number(values['max-median']),
  },
  { name: 'max lines', value: files.at(-1)?.lines ?? 0, min: 1, max: maxLines },
];
let isBroken = false;
for (const { name, value, min, max } of figures) {
  const isWithin = value >= min && value <= max;
  isBroken ||= !isWithin;
  console.log(`${name}: ${value} (${isWithin ? 'within' : 'outside'} ${min} to ${max})`);
}
for (const { path, lines } of files)
  if (lines > maxLines) console.log(`above ${maxLines} lines: ${path} (${lines})`);
if (values.check && isBroken) process.exit(1);

function medianOf(sorted) {
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  return sorted.length === 0 ? 0 : (sorted[middle - 1] + sorted[middle]) / 2;
}
