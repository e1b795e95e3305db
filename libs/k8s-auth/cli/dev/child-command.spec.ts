import { afterEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { FakeClock } from '../../testing/fake-clock.js';
import { ChildCommand } from './child-command.js';

/** Starts a second process, as `nest start` does. Both listen on a port that they print, and neither ends by itself. */
const LISTEN = `
  const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
`;
const WITH_A_CHILD = `
  ${LISTEN}
  require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(LISTEN)}], { stdio: 'inherit' });
`;
const DEAF = `process.on('SIGTERM', () => console.log('ignored')); setInterval(() => {}, 1000); console.log('child is ready')`;

const clock = new FakeClock();
let lines: string[] = [];
let waiting: (() => void)[] = [];
let running: ChildCommand | undefined;

function start(...command: string[]): ChildCommand {
  [lines, waiting] = [[], []];
  running = new ChildCommand({
    command,
    environment: process.env,
    directory: tmpdir(),
    clock,
    onLine: (line) => {
      lines.push(line);
      for (const resolve of waiting.splice(0)) resolve();
    },
  });
  return running;
}

async function linesOf(pattern: RegExp, count = 1): Promise<string[]> {
  for (;;) {
    const found = lines.filter((candidate) => pattern.test(candidate));
    if (found.length >= count) return found;
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

/** Whether a process listens. The process ID alone does not tell: it stays in use until the parent asks for the status. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy()).once('close', (hadError) => resolve(!hadError));
    socket.on('error', () => undefined);
  });
}

afterEach(async () => {
  running?.killNow();
  await running?.ended;
});

describe('ChildCommand', () => {
  it('passes on each line of stdout and stderr, and the exit status', async () => {
    const child = start(
      process.execPath,
      '-e',
      'console.log("one"); console.error("two"); process.exitCode = 3',
    );
    expect(await child.ended).toBe(3);
    expect(lines.sort()).toEqual(['one', 'two']);
  });

  it('runs one text with spaces by the shell', async () => {
    const child = start('echo one && exit 4');
    expect(await child.ended).toBe(4);
    expect(lines.map((text) => text.trim())).toEqual(['one']);
  });

  it('stops the processes that the command has started, too', async () => {
    const child = start(process.execPath, '-e', WITH_A_CHILD);
    const ports = (await linesOf(/^port/, 2)).map((text) => Number(text.slice('port '.length)));
    expect(await Promise.all(ports.map(isListening))).toEqual([true, true]);
    await child.stop();
    expect(await Promise.all(ports.map(isListening))).toEqual([false, false]);
  });

  it('kills a command that has not stopped after 5 s', async () => {
    const child = start(process.execPath, '-e', DEAF);
    await linesOf(/child is ready/);
    const stopped = child.stop();
    await linesOf(/ignored/);
    await clock.advance(5000);
    await stopped;
    expect(await child.ended).toBe(1);
  });

  it('says that a command was not found', async () => {
    const child = start('nset', 'start');
    expect(await child.ended).toBe(127);
    expect(lines).toEqual(["the command 'nset' was not found"]);
  });
});
