import { byId, el } from './dom.mjs';

/** Groups whose labels say enough for a sighted user. */
const COMPACT = ['Send a call', 'Switch the verifier'];

/**
 * One button for each action. Buttons that exist are kept, so that the focus stays where it is.
 * @param {(id: string) => Promise<void>} run
 */
export function showActions(groups, run) {
  const root = byId('actions');
  for (const { title, actions } of groups) {
    const group = root.querySelector(`[data-title="${title}"]`) ?? createGroup(root, title);
    const list = group.querySelector('ul');
    for (const action of actions) {
      const button = byId(action.id) ?? createButton(list, action.id, run);
      fill(button, action);
    }
  }
}

function createGroup(root, title) {
  const id = `group-${root.children.length}`;
  const group = el(
    COMPACT.includes(title) ? 'div.group.compact' : 'div.group',
    { role: 'group', 'aria-labelledby': id, 'data-title': title },
    el('h3', { id }, title),
    el('ul'),
  );
  root.append(group);
  return group;
}

function createButton(list, id, run) {
  const button = el('button.action', { type: 'button', id, onclick: () => press(button, run) });
  list.append(el('li', {}, button));
  return button;
}

function fill(button, { label, hint, key, isChosen }) {
  const shownKey = key === undefined ? [] : [el('kbd', { 'aria-hidden': 'true' }, key)];
  const isCompact = button.closest('.compact') !== null;
  const shownHint = el(isCompact ? 'span.visually-hidden' : 'span.hint', {}, hint);
  if (isCompact) button.title = hint;
  button.replaceChildren(el('span.label', {}, label), ...shownKey, ' ', shownHint);
  if (isChosen !== undefined) button.setAttribute('aria-pressed', String(isChosen));
}

async function press(button, run) {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  await run(button.id);
  button.removeAttribute('aria-busy');
}
