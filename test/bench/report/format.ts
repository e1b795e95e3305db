import { type Figure, type Limit } from '../figure.js';

const ROUNDED = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

const SIGNS = { larger: '≥', smaller: '≤', exactly: '=' } as const;
// These units say nothing that the name of the figure does not say.
const UNITS_WITHOUT_NAME = ['ratio', 'count'];

/** Three significant digits; whole numbers are exact. */
export function formatNumber(number: number): string {
  return Number.isInteger(number) ? WHOLE.format(number) : ROUNDED.format(number);
}

/** The median with its unit, and the extremes if they differ: `0.91 [0.88..0.93]`. */
export function formatValue({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  if (!value) return 'not run';
  const { median, min, max } = value;
  const shownUnit = UNITS_WITHOUT_NAME.includes(unit) ? '' : ` ${unit === 'us' ? 'µs' : unit}`;
  const range = min === max ? '' : ` [${formatNumber(min)}..${formatNumber(max)}]`;
  return `${formatNumber(median)}${shownUnit}${range}`;
}

/** @param bound which of the two: `≥ 0.9` */
export function formatLimit(limit: Limit | undefined, bound: 'goal' | 'gate'): string {
  return limit ? `${SIGNS[limit.better]} ${formatNumber(limit[bound])}` : '';
}
