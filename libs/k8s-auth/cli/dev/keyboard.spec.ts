import { beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { readKeyboard } from './keyboard.js';

class Input extends EventEmitter {
  readonly modes: boolean[] = [];
  constructor(readonly isTTY: boolean) {
    super();
  }
  setRawMode(mode: boolean): void {
    this.modes.push(mode);
  }
  resume(): void {
    // The test emits the data itself.
  }
  pause(): void {
    // The test emits the data itself.
  }
}

let pressed: string[];
const note = (key: string) => void pressed.push(key);
const press = (...chunks: string[]) => {
  const input = new Input(true);
  readKeyboard(input, note, () => pressed.push('quit'));
  for (const chunk of chunks) input.emit('data', Buffer.from(chunk));
  return pressed;
};

beforeEach(() => {
  pressed = [];
});

describe('readKeyboard', () => {
  it('passes on a key, and a line with one letter', () => {
    expect(press('t', 't\n', 't\r\n', 'q')).toEqual(['t', 't', 't', 'q']);
  });

  it('quits on Ctrl-C, which a terminal in raw mode sends as a character', () => {
    expect(press('\u0003')).toEqual(['quit']);
  });

  it('ignores escape sequences and pasted text', () => {
    expect(press('tq', 'curl -i http://localhost', '\u001b[A', '', '\n', 'toString')).toEqual([]);
  });

  it('sets raw mode in a terminal only, and ends it', () => {
    for (const isTTY of [true, false]) {
      const input = new Input(isTTY);
      readKeyboard(input, note, () => undefined)();
      input.emit('data', 't');
      expect(input.modes).toEqual(isTTY ? [true, false] : []);
    }
    expect(pressed).toEqual([]);
  });
});
