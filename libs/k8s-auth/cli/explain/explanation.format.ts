import { type CheckRecord, type CheckStatus } from './check-record.js';
import { type Explanation } from './explain-token.js';

const MARKS: Readonly<Record<CheckStatus, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  unknown: '????',
  skipped: '-   ',
};

const NOBODY_VOUCHES = 'decoded only, nobody vouches for this';

/** The explanation as lines for a terminal. @internal */
export function formatExplanation(explanation: Explanation): string[] {
  const { subject, verifier, isGenuine, checks } = explanation;
  const trust = isGenuine ? 'the signature is verified' : NOBODY_VOUCHES;
  return [
    `Token of ${subject} (${trust})`,
    `Verifier: ${verifier ?? 'none is configured'}`,
    '',
    ...checks.flatMap(formatCheck),
    '',
    formatOutcome(explanation),
  ];
}

function formatCheck({ id, status, expected, found, error }: CheckRecord): string[] {
  const indent = ' '.repeat(18);
  return [
    `${MARKS[status]}  ${id.padEnd(12)}${status === 'skipped' ? expected : `expected: ${expected}`}`,
    ...(found === undefined ? [] : [`${indent}found:    ${found}`]),
    ...(error === undefined ? [] : [`${indent}${error.message}`]),
  ];
}

function formatOutcome({ outcome, verifier, isGenuine }: Explanation): string {
  if (outcome.kind === 'accepted')
    return 'Verdict: accepted. The rules of the route are not checked here: they may still answer 403.';
  const code = outcome.code === undefined ? '' : ` ${outcome.code}`;
  if (outcome.kind === 'refused') return `Verdict: refused, ${outcome.status}${code}: ${outcome.message}`;
  if (verifier === undefined || isGenuine) return `Verdict: none: ${outcome.message}`;
  return `Verdict: could not decide, 503${code}: ${outcome.message}`;
}
