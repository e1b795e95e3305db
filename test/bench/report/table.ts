import { type Figure, judge } from '../figure.js';
import { formatLimit, formatValue } from './format.js';
import { allFigures, figuresJudged, isNoisy, type RunResult } from './run-result.js';

const HEADINGS = ['figure', 'median [min..max]', 'goal', 'gate', 'judgement', 'note'] as const;

/** The table that the terminal shows, and below it everything that needs attention. */
export function renderTable(result: RunResult): string {
  const rows = result.sections.flatMap(({ title, figures }) => [[title], ...figures.map(toRow)]);
  const table = align([[...HEADINGS], ...rows]);
  return [...table, '', ...renderRemarks(result), ''].join('\n');
}

/** Missed goals, failed gates, failed measurements, and conditions that make values less exact. */
export function renderRemarks(result: RunResult): readonly string[] {
  const { machine, failures } = result;
  const name = (figure: Figure) =>
    `${figure.name}: ${formatValue(figure)}, goal ${formatLimit(figure.limit, 'goal')}, gate ${formatLimit(figure.limit, 'gate')}`;
  const missed = figuresJudged(result, 'goal missed').map((figure) => `goal missed: ${name(figure)}`);
  const failed = figuresJudged(result, 'gate failed').map((figure) => `GATE FAILED: ${name(figure)}`);
  return [
    `Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, ${machine.pinning}, ${machine.rounds} rounds`,
    ...(isNoisy(result)
      ? ['noisy machine: other programs used the processor, so the values are less exact']
      : []),
    ...missed,
    ...failed,
    ...failures.map(({ title, message }) => `MEASUREMENT FAILED: ${title}: ${message}`),
    summarize(result),
  ];
}

function summarize(result: RunResult): string {
  const judged = (['held', 'goal missed', 'gate failed', 'not judged', 'not run'] as const).map(
    (judgement) => `${figuresJudged(result, judgement).length} ${judgement}`,
  );
  return `${allFigures(result).length} figures: ${judged.join(', ')}`;
}

function toRow(figure: Figure): string[] {
  const { name, limit, note = '' } = figure;
  const limits = (['goal', 'gate'] as const).map((bound) => formatLimit(limit, bound));
  return [`  ${name}`, formatValue(figure), ...limits, judge(figure), note];
}

/** A row with one cell is a heading: it does not widen the column. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.filter((row) => row.length > 1).map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
