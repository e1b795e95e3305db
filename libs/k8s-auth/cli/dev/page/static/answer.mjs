import { statusBadge, wordOf } from './calls.mjs';
import { byId, el } from './dom.mjs';
import { clockTime } from './time.mjs';

/** What the caller sees, beside what the service logs. */
export function showAnswer(call) {
  if (!call) return byId('answer-body').replaceChildren(el('p.muted', {}, 'Choose a call.'));
  const { answer, advice, from, to, request, what, atMs, durationMs } = call;
  byId('answer-body').replaceChildren(
    el(
      'p.summary',
      {},
      statusBadge(answer),
      el('strong', {}, answer ? wordOf(answer) : 'waiting for the answer'),
      el('span.muted', {}, `${from} → ${to}, ${what}, ${request}, ${clockTime(atMs)}${took(durationMs)}`),
    ),
    ...(advice ? [el('p.advice', {}, el('strong', {}, 'What to do: '), advice)] : []),
    el('div.side-by-side', {}, seen(call), logged(call)),
    requests(call),
  );
}

const took = (ms) => (ms === undefined ? '' : `, ${ms} ms`);

function seen({ answer, callerLine }) {
  const head = answer && [
    answer.status === undefined ? answer.error : `HTTP ${answer.status}`,
    ...answer.headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return el(
    'div',
    {},
    el('h3', {}, 'The caller sees'),
    el('pre', {}, head ? [...head, '', answer.body].join('\n').trim() : '…'),
    callerLine && [el('h3', {}, 'The caller logs'), el('pre', {}, callerLine)],
  );
}

function logged({ answer, serviceLines }) {
  const isRefused = (answer?.status ?? 0) >= 400;
  const nothing = isRefused
    ? 'No line was seen. In a flood, the library counts refusals instead of logging each one.'
    : 'Nothing: accepted calls are not logged.';
  return el(
    'div',
    {},
    el('h3', {}, 'The service logs'),
    serviceLines.length > 0
      ? serviceLines.map((line) => el('pre', {}, line))
      : el('p.muted', {}, answer ? nothing : '…'),
  );
}

function requests({ apiRequests }) {
  const list = apiRequests.map(({ method, path, status }) =>
    el('li', {}, el('code', {}, `${method} ${path}`), ` ${status ?? 'no answer yet'}`),
  );
  return el(
    'div',
    {},
    el('h3', {}, 'The service asks the API server'),
    list.length > 0
      ? el('ul.requests', {}, list)
      : el('p.muted', {}, 'Nothing arrived there while it handled this call.'),
  );
}
