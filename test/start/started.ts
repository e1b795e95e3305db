import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = join(import.meta.dirname, '../..');

/** `npm start` without npm: the same script, its output line by line. */
export class Started {
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  private readonly process: ChildProcess;
  private waiting: (() => void)[] = [];

  constructor(...options: string[]) {
    this.process = spawn(process.execPath, ['scripts/start.mjs', ...options], { cwd: ROOT });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.keep(line));
    }
    this.ended = new Promise((resolve) => this.process.once('close', resolve));
    void this.ended.then(() => this.keep('(ended)'));
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** Resolves when `count` lines match. @throws {Error} the script ended before */
  async waitFor(pattern: RegExp, count = 1): Promise<string[]> {
    for (;;) {
      const found = this.lines.filter((line) => pattern.test(line));
      if (found.length >= count) return found;
      if (this.lines.at(-1) === '(ended)') throw new Error(`ended before ${String(pattern)}:\n${this.text}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  type(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  /** Ctrl-C. @returns the exit code */
  async interrupt(): Promise<number | null> {
    this.process.kill('SIGINT');
    return this.ended;
  }

  private keep(line: string): void {
    this.lines.push(line);
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
