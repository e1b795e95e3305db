import { createInterface } from 'node:readline';

/** A letter and Enter calls its action. */
export function readKeyboard(actions) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => actions[line.trim()]?.());
  return lines;
}
