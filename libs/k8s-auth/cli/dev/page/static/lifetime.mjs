import { el } from './dom.mjs';
import { duration, everySecond, nowMs } from './time.mjs';

/**
 * How old a token is, and what comes next.
 * @param {{ iat?: number, exp?: number }} claims
 * @param {number | undefined} rotatesAtMs when its file gets the next token
 * @param {string | undefined} notRotated why its file gets no next token
 */
export function lifetime({ iat, exp }, rotatesAtMs, notRotated) {
  if (typeof iat !== 'number' || typeof exp !== 'number')
    return el('p.muted', {}, 'This token never expires.');
  const life = (exp - iat) * 1000;
  const bar = el('progress', { max: String(life), 'aria-label': 'Age of the token' });
  const text = el('span');
  const box = el('div.lifetime', {}, bar, text);
  return everySecond(box, () => {
    const age = nowMs() - iat * 1000;
    bar.value = Math.min(Math.max(age, 0), life);
    const isOver = age >= life;
    box.dataset.state = isOver ? 'over' : age >= life * 0.8 ? 'late' : 'fresh';
    text.textContent = isOver
      ? `expired ${duration(age - life)} ago`
      : `${duration(age)} old of ${duration(life)}${next(rotatesAtMs, notRotated)}`;
  });
}

function next(rotatesAtMs, notRotated) {
  if (notRotated !== undefined) return `, ${notRotated}`;
  return rotatesAtMs === undefined ? '' : `, replaced in ${duration(rotatesAtMs - nowMs())}`;
}
