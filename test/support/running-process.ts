import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = join(import.meta.dirname, '../..');

export interface RunningProcessOptions {
  readonly command?: string;
  readonly args: readonly string[];
  /** When omitted, the test's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A process in the repository's folder, with its output line by line. */
export class RunningProcess {
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  protected readonly process: ChildProcess;
  private waiting: (() => void)[] = [];

  constructor({ command = process.execPath, args, environment }: RunningProcessOptions) {
    this.process = spawn(command, args, { cwd: ROOT, env: environment ?? process.env });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.keep(line));
    }
    this.ended = new Promise((resolve) => this.process.once('close', resolve));
    void this.ended.then(() => this.keep('(ended)'));
  }

  get text(): string {
    return this.lines.join('\n');
  }

  get hasEnded(): boolean {
    return this.lines.at(-1) === '(ended)';
  }

  /** Resolves when `count` lines match. @throws {Error} the process ended before */
  async waitFor(pattern: RegExp, count = 1): Promise<string[]> {
    for (;;) {
      const found = this.lines.filter((line) => pattern.test(line));
      if (found.length >= count) return found;
      if (this.hasEnded) throw new Error(`ended before ${String(pattern)}:\n${this.text}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  type(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  /** @returns the exit code; `null` where no handler ended the process but the signal itself */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    this.process.kill(signal);
    return this.ended;
  }

  private keep(line: string): void {
    this.lines.push(line);
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
