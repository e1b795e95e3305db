import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type BenchContext } from '../figure.js';
import { Child } from './child.js';

let directory: string;
let abort: AbortController;
let context: BenchContext;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-child-'));
  abort = new AbortController();
  context = { isShort: true, rounds: 1, directory, progress: () => {}, signal: abort.signal };
});
afterEach(() => rmSync(directory, { recursive: true }));

function start(source: string) {
  const program = join(directory, 'program.mjs');
  writeFileSync(program, source);
  return Child.start(context, { name: 'program', args: [program] });
}

const LISTENING = `console.log('{"url":"http://127.0.0.1:1"}');`;
// What program.ts does; a child of a test cannot import TypeScript.
const ANSWERING = `
  process.on('message', ({ id, method, parameters }) => {
    if (method === 'end') process.exit(3);
    else process.send(method === 'add' ? { id, result: parameters + 1 } : { id, error: 'no such question' });
  });
  ${LISTENING}`;

describe('Child', () => {
  it('waits for the line with the URL, asks questions, and ends the process', async () => {
    const { child, url } = await start(`console.log('starting');${ANSWERING}`);
    expect(url).toBe('http://127.0.0.1:1');
    expect(await child.ask('add', 1)).toBe(2);
    await expect(child.ask('subtract', 1)).rejects.toThrow('program: subtract: no such question');
    expect(await child.cpuUs()).toBeGreaterThan(0);
    await child.close();
    await expect(child.ask('add', 1)).rejects.toThrow('program: ended');
  });

  it('shows the last lines of a program that ends before it listens', async () => {
    await expect(start(`console.error('no port'); process.exit(1);`)).rejects.toThrow(
      'program: ended\n  no port',
    );
  });

  it('rejects a question if the program ends instead of answering', async () => {
    const { child } = await start(ANSWERING);
    await expect(child.ask('end')).rejects.toThrow('program: ended');
    await child.close();
  });

  it('ends the process when the bench is aborted', async () => {
    const { child } = await start(ANSWERING);
    const answer = child.ask('wait');
    abort.abort();
    await expect(answer).rejects.toThrow();
    await child.close();
    await expect(Child.start(context, { name: 'late', args: [] })).rejects.toThrow();
  });
});
