/** The server's clock: the machine of the browser may have another time. */
let offsetMs = 0;

export function setServerTime(nowMs) {
  offsetMs = nowMs - Date.now();
}

export const nowMs = () => Date.now() + offsetMs;

const CLOCK_TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
export const clockTime = (ms) => CLOCK_TIME.format(ms);

/** `12 s`, `3 min`, `2 h`: one unit, because nobody reads two. */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** `in 12 s`, or `12 s ago`. */
export function relative(ms) {
  const distance = ms - nowMs();
  return distance >= 0 ? `in ${duration(distance)}` : `${duration(-distance)} ago`;
}

/** Calls it now, and every second as long as the element is part of the page. */
export function everySecond(element, update) {
  update();
  const timer = setInterval(() => (element.isConnected ? update() : clearInterval(timer)), 1000);
  return element;
}
