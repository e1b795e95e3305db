/** What is needed of `process.stdin`. */
export interface KeyInput extends NodeJS.EventEmitter {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

const CTRL_C = '\u0003';

/**
 * Calls `press` with a letter: at once in a terminal, otherwise when the letter arrives as a line. Longer input, such as
 * a pasted command, runs nothing. A terminal in raw mode sends Ctrl-C as a character, on Windows too.
 * @returns a function that stops reading
 */
export function readKeyboard(input: KeyInput, press: (key: string) => void, quit: () => void): () => void {
  const onData = (data: Buffer | string) => {
    const text = String(data);
    if (text === CTRL_C) return quit();
    const key = text.trim();
    if (key.length === 1) press(key);
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
