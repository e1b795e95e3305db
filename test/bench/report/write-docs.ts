import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawCharts } from './charts.js';
import { toReport } from './json.js';
import { formatFile, replaceBlocks } from './markdown.js';
import { renderBlocks } from './page.js';
import { type RunResult } from './run-result.js';

// The same from the sources in test/bench/report and from dist/bench/report.
const DOCS = join(import.meta.dirname, '../../../docs');
const CHARTS = 'performance';

/**
 * Writes the results into the documentation: replaces the generated blocks of performance.md, performance.json and all
 * charts.
 * @param docs the directory of the documentation
 * @returns the files that were written
 */
export async function writeDocs(result: RunResult, docs = DOCS): Promise<readonly string[]> {
  const page = join(docs, 'performance.md');
  const json = join(docs, 'performance.json');
  const charts = new Map(result.sections.map((section) => [section.id, drawCharts(section)]));
  const blocks = renderBlocks(result, charts, CHARTS);
  // Everything is rendered before the first file changes.
  const contents = [
    [page, await formatFile(page, replaceBlocks(readFileSync(page, 'utf8'), blocks))],
    [json, await formatFile(json, JSON.stringify(toReport(result), undefined, 2))],
    ...[...charts.values()].flat().map(({ name, svg }) => [join(docs, CHARTS, `${name}.svg`), svg]),
  ] as const;
  mkdirSync(join(docs, CHARTS), { recursive: true });
  for (const name of readdirSync(join(docs, CHARTS))) {
    if (name.endsWith('.svg')) rmSync(join(docs, CHARTS, name));
  }
  for (const [path = '', text = ''] of contents) writeFileSync(path, text);
  return contents.map(([path = '']) => path);
}
