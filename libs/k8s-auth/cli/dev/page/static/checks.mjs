import { byId, el, pair } from './dom.mjs';

const MARKS = { pass: '✓', fail: '✗', unknown: '?', skipped: '–' };
const WORDS = { pass: 'passed', fail: 'failed', unknown: 'not known', skipped: 'not made' };
const VERDICTS = { accepted: 'good', refused: 'bad', undecided: 'unknown' };

/** The checks of `npx nest-k8s-auth explain`, in the order of the guard. */
export function showChecks(call) {
  const { explanation, note, token } = call ?? {};
  if (!explanation) return byId('checks-body').replaceChildren(el('p.muted', {}, empty(call, token)));
  const { outcome, verifier, checks } = explanation;
  const status = outcome.status === undefined ? '' : ` ${outcome.status}`;
  byId('checks-body').replaceChildren(
    el(
      'p.summary',
      {},
      el(`span.badge.${VERDICTS[outcome.kind]}`, {}, `${outcome.kind}${status}`),
      el('span', {}, outcome.code ?? ''),
      el('span.muted', {}, `by ${verifier ?? 'no verifier'}`),
    ),
    ...(note ? [el('p.note-box', {}, note)] : []),
    el('ol.checks', {}, checks.map(check)),
  );
}

function empty(call, token) {
  if (!call) return 'Choose a call.';
  return token ? 'The checks are being made.' : 'There is no token to check.';
}

function check({ id, status, expected, found, error }) {
  const isShort = status === 'skipped';
  return el(
    `li.${status}`,
    {},
    el('span.mark', { 'aria-hidden': 'true' }, MARKS[status]),
    el('span.name', {}, id, ' ', el('span.visually-hidden', {}, WORDS[status])),
    isShort
      ? el('span.muted', {}, expected)
      : el(
          'dl',
          {},
          found === undefined ? [] : pair('found', found),
          status === 'pass' && found !== undefined ? [] : pair('expected', expected),
          error ? pair('reason', error.message) : [],
        ),
  );
}
