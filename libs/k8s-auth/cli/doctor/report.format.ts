import { urlOfPage } from '../package-files.js';
import { type Step, type StepStatus } from './step.js';

const MARKS: Readonly<Record<StepStatus, string>> = {
  ok: 'ok  ',
  warning: 'warn',
  failed: 'FAIL',
  skipped: '-   ',
};

/** The page that explains every step. Each ID is an anchor. */
export const DOCTOR_PAGE = 'docs/doctor.md';

/** One line for each step, and a summary. @internal */
export function formatReport(steps: readonly Step<string>[]): string[] {
  const width = Math.max(0, ...steps.map(({ id }) => id.length));
  const page = urlOfPage(DOCTOR_PAGE);
  const lines = steps.map(({ id, status, subject, message }) => {
    const about = subject === undefined || message.includes(subject) ? '' : `${subject}: `;
    const help = status === 'failed' || status === 'warning' ? ` [${page}#${id}]` : '';
    return `${MARKS[status]}  ${id.padEnd(width)}  ${about}${message}${help}`;
  });
  return [...lines, '', summaryOf(steps)];
}

/** `1 step`, `2 steps` @internal */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function summaryOf(steps: readonly Step<string>[]): string {
  const count = (wanted: StepStatus) => steps.filter(({ status }) => status === wanted).length;
  const failed = count('failed');
  const warnings = count('warning');
  const result = failed === 0 ? 'nothing failed' : `${failed} failed`;
  return `${countOf(steps.length, 'step')}, ${result}, ${countOf(warnings, 'warning')}.`;
}
