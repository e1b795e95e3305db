import { showActions } from './actions.mjs';
import { showAnswer } from './answer.mjs';
import { clearEntries, markSelected, showEntry, wordOf } from './calls.mjs';
import { showChecks } from './checks.mjs';
import { showClaims } from './claims.mjs';
import { byId } from './dom.mjs';
import { showOverview } from './overview.mjs';
import { setServerTime } from './time.mjs';

const VIEWS = ['calls', 'answer', 'checks', 'claims', 'change'];
const entries = new Map();
/** The last outcome of each caller, so that only a change is announced. */
const outcomes = new Map();
let state;
let selectedId;
let isFollowing = true;

function say(text) {
  byId('message').textContent = text;
}

function showDetails() {
  const call = entries.get(selectedId);
  showAnswer(call);
  showChecks(call);
  showClaims(call, state?.caller);
}

function select(id) {
  selectedId = id;
  markSelected(id);
  showDetails();
}

function follow(isOn) {
  isFollowing = isOn;
  byId('follow').setAttribute('aria-pressed', String(isOn));
  if (isOn) select([...entries.values()].findLast(({ type }) => type === 'call')?.id);
}

function takeState(next) {
  state = next;
  setServerTime(next.nowMs);
  showOverview(next);
  showActions(next.groups, runAction);
  showClaims(entries.get(selectedId), next.caller);
}

function takeEntry(entry) {
  const isNew = !entries.has(entry.id);
  entries.set(entry.id, entry);
  if (isNew && entry.type === 'call' && (isFollowing || entry.from === 'this page')) selectedId = entry.id;
  showEntry(entry, { isSelected: entry.id === selectedId, onSelect });
  if (entry.type === 'call' && isNew) markSelected(selectedId);
  if (entry.id === selectedId) showDetails();
  announce(entry, isNew);
}

function announce(entry, isNew) {
  if (entry.type === 'note') {
    if (isNew) say(entry.text);
    return;
  }
  if (!entry.answer) return;
  const outcome = `${entry.answer.status ?? 'no answer'} ${wordOf(entry.answer)}`;
  const key = entry.from === 'this page' ? entry.id : entry.from;
  if (outcomes.get(key) === outcome) return;
  outcomes.set(key, outcome);
  say(`${entry.from}, ${entry.what}: ${outcome}`);
}

/** On a narrow screen only one view is visible. */
function goToAnswer() {
  if (matchMedia('(max-width: 799px)').matches) location.hash = '#answer';
}

function onSelect(id) {
  follow(false);
  select(id);
  goToAnswer();
}

async function runAction(id) {
  // A call is looked at for a while. After a change, the calls that follow are what matters.
  const isCall = id.startsWith('send-');
  follow(!isCall);
  try {
    const response = await fetch(`/actions/${id}`, { method: 'POST' });
    if (!response.ok) say((await response.json()).message);
    else if (isCall) goToAnswer();
  } catch {
    say('The program has ended.');
  }
}

function takeSnapshot({ state: next, entries: list }) {
  entries.clear();
  clearEntries();
  for (const entry of list) entries.set(entry.id, entry);
  selectedId = list.findLast(({ type }) => type === 'call')?.id;
  for (const entry of list) showEntry(entry, { isSelected: entry.id === selectedId, onSelect });
  takeState(next);
  showDetails();
}

function connect() {
  const source = new EventSource('/events');
  const on = (name, take) => source.addEventListener(name, ({ data }) => take(JSON.parse(data)));
  const show = (now, text) => {
    byId('connection').dataset.state = now;
    byId('connection').textContent = text;
  };
  on('snapshot', takeSnapshot);
  on('state', takeState);
  on('entry', takeEntry);
  source.addEventListener('open', () => show('open', 'Connected'));
  source.addEventListener('error', () => show('lost', 'Not connected'));
}

function showView() {
  const view = location.hash.slice(1);
  if (!VIEWS.includes(view)) return;
  document.body.dataset.view = view;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === location.hash) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
  byId(view).focus({ preventScroll: true });
}

byId('follow').addEventListener('click', () => follow(!isFollowing));
addEventListener('hashchange', showView);
showView();
showDetails();
connect();
