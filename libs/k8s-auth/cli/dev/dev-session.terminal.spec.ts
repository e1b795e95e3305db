import { afterEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { systemClock } from '../../src/util/clock.js';
import { freePort } from '../../test-support/free-port.js';
import { DevSession } from './dev-session.js';

/** Listens where `dev` says, and ends when a line arrives at the port: nobody else has asked it to end. */
const SERVICE = `
  const server = require('node:net').createServer((socket) => socket.on('data', () => process.exit(3)));
  server.listen(Number(process.env.PORT), () => console.log('service ' + process.pid + ' listens'));
`;

/** A terminal in raw mode: a key arrives as one character, without Enter. */
class Terminal extends EventEmitter {
  readonly lines: string[] = [];
  readonly modes: boolean[] = [];
  isPaused = false;
  private waiting: (() => void)[] = [];

  constructor(readonly isTTY: boolean) {
    super();
  }

  setRawMode(mode: boolean): void {
    this.modes.push(mode);
  }

  resume(): void {
    this.isPaused = false;
  }

  pause(): void {
    this.isPaused = true;
  }

  write(line: string): void {
    this.lines.push(line);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  press(key: string): void {
    this.emit('data', Buffer.from(key));
  }

  async waitFor(pattern: RegExp, count = 1): Promise<string> {
    for (;;) {
      const found = this.lines.filter((line) => pattern.test(line));
      if (found.length >= count) return found.at(-1) ?? '';
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

describe('the keys of dev', () => {
  let terminal: Terminal;
  let port: number;
  let ended: Promise<number>;

  async function start(isTTY: boolean): Promise<void> {
    terminal = new Terminal(isTTY);
    port = await freePort();
    const orders = { namespace: 'shop', name: 'orders' };
    const session = new DevSession(
      {
        services: [
          {
            command: [process.execPath, '-e', SERVICE],
            identity: orders,
            audience: 'orders',
            verifier: 'tokenreview',
            destinations: [],
            port,
            environment: {},
          },
        ],
        callers: [{ namespace: 'shop', name: 'checkout' }],
        isVerbose: false,
        environment: process.env,
        alsoSet: [],
      },
      {
        stdin: terminal,
        writeLine: (line) => terminal.write(line),
        directory: tmpdir(),
        clock: systemClock,
      },
    );
    ended = session.run();
    await terminal.waitFor(/t rotate the tokens/);
  }

  /** Makes the service end by itself. */
  async function endService(): Promise<void> {
    const { connect } = await import('node:net');
    const socket = connect(port, 'localhost').on('error', () => undefined);
    socket.end('end');
  }

  afterEach(async () => {
    terminal.press('q');
    await ended;
  });

  it('act at once in a terminal, and the terminal is restored at the end', async () => {
    await start(true);
    expect(terminal.lines.join('\n')).not.toContain('with Enter');
    expect(terminal.modes).toEqual([true]);
    terminal.press('t');
    await terminal.waitFor(/every token rotated/);
    terminal.press('d');
    expect(await terminal.waitFor(/shop\/checkout deleted/)).toContain('tokenreview refuses its tokens');
    terminal.press('o');
    await terminal.waitFor(/outage: the API server refuses connections/);
    terminal.press('t');
    expect(await terminal.waitFor(/not every token rotated/)).toContain('unreachable');
    terminal.press('o');
    await terminal.waitFor(/outage ended/);
    terminal.press('q');
    expect(await ended).toBe(0);
    expect(terminal.modes).toEqual([true, false]);
    expect(terminal.isPaused).toBe(true);
  });

  it('start a service again that has ended, while the cluster keeps running', async () => {
    await start(true);
    await endService();
    expect(await terminal.waitFor(/ended with status 3/)).toMatch(/r starts it again, q quits/);
    terminal.press('r');
    await terminal.waitFor(/restarted; the cluster, its keys and its tokens are the same/);
    await terminal.waitFor(/service \d+ listens/, 2);
  });

  it('quit on Ctrl-C, which a terminal in raw mode sends as a character', async () => {
    await start(true);
    terminal.press('\u0003');
    expect(await ended).toBe(0);
  });

  it('need Enter without a terminal, where the session ends with the status of the service', async () => {
    await start(false);
    expect(await terminal.waitFor(/t rotate the tokens/)).toContain('(each with Enter)');
    terminal.press('t\n');
    await terminal.waitFor(/every token rotated/);
    await endService();
    expect(await ended).toBe(3);
    expect(terminal.modes).toEqual([]);
  });
});
