import { createInterface } from 'node:readline';

/** Runs the action of a letter when the user types the letter and Enter. */
export function readKeyboard(actions) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => actions[line.trim()]?.());
  return lines;
}
