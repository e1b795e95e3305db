import { judge } from '../figure.js';
import { type Chart } from './charts.js';
import { renderCosts } from './costs.js';
import { formatLimit, formatValue } from './format.js';
import { markdownTable } from './markdown.js';
import { reviewLoadTable } from './review-load.table.js';
import { type RunResult, type Section } from './run-result.js';
import { renderRemarks } from './table.js';

/** The generated blocks of docs/performance.md, by name. @param folder of the charts, relative to the page */
export function renderBlocks(
  result: RunResult,
  charts: ReadonlyMap<string, readonly Chart[]>,
  folder: string,
): Readonly<Record<string, string>> {
  const sections = result.sections.map((section) =>
    [
      `### ${section.title}`,
      ...(charts.get(section.id) ?? []).map(
        ({ name, alternative }) => `![${escapeText(alternative)}](${folder}/${name}.svg)`,
      ),
      figureTable(section),
    ].join('\n\n'),
  );
  return {
    summary: [
      `- Measured on ${result.machine.measuredOn}. The same figures as JSON: [performance.json](performance.json)`,
      ...renderRemarks(result).map((remark) => `- ${escapeText(remark)}`),
    ].join('\n'),
    figures: sections.join('\n\n'),
    costs: renderCosts(result),
    'review-load': reviewLoadTable(),
  };
}

function figureTable({ figures }: Section): string {
  const rows = figures.map((figure) => [
    figure.name,
    formatValue(figure),
    formatLimit(figure.limit, 'goal'),
    formatLimit(figure.limit, 'gate'),
    judge(figure),
    figure.note ?? '',
  ]);
  const headings = ['figure', 'median [min..max]', 'goal', 'gate', 'judgement', 'note'];
  return markdownTable(headings, rows);
}

function escapeText(text: string): string {
  return text.replace(/[[\]<]/g, '\\$&');
}
