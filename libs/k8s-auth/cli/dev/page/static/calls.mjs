import { byId, el } from './dom.mjs';
import { clockTime } from './time.mjs';

const MAX_SHOWN = 40;
const KINDS = { 2: 'good', 4: 'bad', 5: 'unknown' };
const WORDS = {
  200: 'accepted',
  401: 'rejected',
  403: 'not allowed',
  503: 'could not decide',
  400: 'malformed',
};

/** What a status means here, as a word: colour alone says nothing to many people. */
export const wordOf = ({ status }) => WORDS[status] ?? (status === undefined ? 'no answer' : 'answered');

export function statusBadge(answer) {
  if (!answer) return el('span.badge.neutral', {}, '…');
  const { status } = answer;
  const kind = status === 403 ? 'warn' : (KINDS[String(status)[0]] ?? 'unknown');
  return el(`span.badge.${kind}`, {}, status === undefined ? 'none' : String(status));
}

/** One entry of the list, newest first. Replaces the entry with the same id. */
export function showEntry(entry, { isSelected, onSelect }) {
  const list = byId('call-list');
  const old = list.querySelector(`[data-id="${entry.id}"]`);
  const item = entry.type === 'note' ? note(entry) : call(entry, isSelected, onSelect);
  const hadFocus = old?.contains(document.activeElement);
  if (old) old.replaceWith(item);
  else list.prepend(item);
  if (hadFocus) item.querySelector('button')?.focus();
  while (list.children.length > MAX_SHOWN) list.lastElementChild.remove();
  byId('no-calls').hidden = true;
}

export function clearEntries() {
  byId('call-list').replaceChildren();
  byId('no-calls').hidden = false;
}

export function markSelected(id) {
  for (const button of byId('call-list').querySelectorAll('button')) {
    const isSelected = button.parentElement.dataset.id === String(id);
    if (isSelected) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

function call(entry, isSelected, onSelect) {
  const { id, atMs, from, what, request, answer } = entry;
  const button = el(
    'button.call',
    { type: 'button', onclick: () => onSelect(id), ...(isSelected && { 'aria-current': 'true' }) },
    el('span.time', {}, clockTime(atMs)),
    el('span.who', {}, from),
    statusBadge(answer),
    el('span.what', {}, `${what} · ${request}`),
    el('span.word', {}, answer ? wordOf(answer) : 'waiting'),
  );
  return el('li', { 'data-id': String(id) }, button);
}

function note({ id, atMs, text }) {
  return el('li.note', { 'data-id': String(id) }, el('span.time', {}, clockTime(atMs)), el('span', {}, text));
}
