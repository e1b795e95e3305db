/** What is needed of `process.stdin`. */
export interface KeyInput extends NodeJS.EventEmitter {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

const CTRL_C = '\u0003';

/**
 * Runs the action of a letter: at once in a terminal, otherwise when the letter arrives as a line. Longer input, such as
 * a pasted command, runs nothing. A terminal in raw mode sends Ctrl-C as a character, on Windows too.
 * @returns a function that stops reading
 */
export function readKeyboard(
  input: KeyInput,
  actions: Readonly<Record<string, () => void>>,
  quit: () => void,
): () => void {
  const onData = (data: Buffer | string) => {
    const text = String(data);
    if (text === CTRL_C) return quit();
    const key = text.trim();
    if (Object.hasOwn(actions, key)) actions[key]?.();
  };
  input.on('data', onData);
  if (input.isTTY) input.setRawMode?.(true);
  input.resume();
  return () => {
    input.removeListener('data', onData);
    if (input.isTTY) input.setRawMode?.(false);
    input.pause();
  };
}
