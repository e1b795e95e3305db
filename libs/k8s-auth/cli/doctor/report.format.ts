import { type Step, type StepStatus } from './step.js';

const MARKS: Readonly<Record<StepStatus, string>> = {
  ok: 'ok  ',
  warning: 'warn',
  failed: 'FAIL',
  skipped: '-   ',
};

/** One line for each step, and a summary. @internal */
export function formatReport(steps: readonly Step<string>[]): string[] {
  const width = Math.max(0, ...steps.map(({ id }) => id.length));
  const lines = steps.map(({ id, status, subject, message }) => {
    const about = subject === undefined || message.includes(subject) ? '' : `${subject}: `;
    const help = status === 'failed' || status === 'warning' ? ` [docs/doctor.md#${id}]` : '';
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
