import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable, type Writable } from 'node:stream';

interface Waiting {
  readonly resolve: (output: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One bash for all blocks, as the terminal of a reader: variables and functions survive. Unlike in a terminal, the
 * first command that fails ends the session (`set -e`), so that no failure is missed.
 */
export class ShellSession {
  private readonly folder = mkdtempSync(join(tmpdir(), 'tutorial-'));
  private readonly mark = randomUUID();
  private readonly shell: ChildProcessByStdio<Writable, Readable, null>;
  private printed = '';
  private waiting?: Waiting;
  private blocks = 0;

  /** @param environment besides `TMPDIR`, which ends with the session */
  constructor({ cwd, environment }: { readonly cwd: string; readonly environment: NodeJS.ProcessEnv }) {
    this.shell = spawn('bash', ['--noprofile', '--norc'], {
      cwd,
      env: { ...environment, TMPDIR: this.folder },
      // A process group of its own, so that what a block left in the background ends too.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.shell.on('error', (error) => this.waiting?.reject(error));
    this.shell.stdout.setEncoding('utf8').on('data', (text: string) => this.read(text));
    // Writing after its end may fail; the end has already been reported.
    this.shell.stdin.on('error', () => undefined);
    this.write(`exec 2>&1; trap 'printf "\\n%s %s\\n" ${this.mark} "status $?"' EXIT; set -e`);
  }

  /**
   * @returns what was printed, errors too
   * @throws {Error} a command failed, or the block did not end in time; with what was printed so far
   */
  async run(commands: string, deadlineMs: number): Promise<string> {
    const file = join(this.folder, `block-${++this.blocks}.sh`);
    writeFileSync(file, commands);
    this.printed = '';
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        this.waiting = { resolve, reject };
        timer = setTimeout(() => {
          this.endProcesses();
          reject(new Error(`no end within ${deadlineMs / 1000} s; printed was:\n${this.printed}`));
        }, deadlineMs);
        // Without a terminal's input, because this shell's own input is the rest of the page.
        this.write(`source ${file} </dev/null\nprintf '\\n%s %s\\n' ${this.mark} done`);
      });
    } finally {
      clearTimeout(timer);
      this.waiting = undefined;
    }
  }

  /** Ends everything that the blocks have started. */
  close(): void {
    this.endProcesses();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private write(text: string): void {
    this.shell.stdin.write(`${text}\n`);
  }

  private read(text: string): void {
    this.printed += text;
    const [output = '', outcome] = this.printed.split(`\n${this.mark} `);
    if (!outcome?.endsWith('\n')) return;
    if (outcome === 'done\n') this.waiting?.resolve(output);
    else this.waiting?.reject(new Error(`the shell ended with ${outcome}printed was:\n${output}`));
  }

  private endProcesses(): void {
    try {
      if (this.shell.pid !== undefined) process.kill(-this.shell.pid, 'SIGKILL');
    } catch {
      // They have ended by themselves.
    }
  }
}
