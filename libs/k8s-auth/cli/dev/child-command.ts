import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Clock } from '../../src/util/clock.js';
import { endProcessTree } from './process-tree.js';
import { planSpawn } from './spawn-plan.js';

/** Time to end after the request to stop. */
const STOP_WITHIN_MS = 5000;

export interface ChildCommandOptions {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly clock: Clock;
  /** Called with each line of stdout and stderr. */
  readonly onLine: (line: string) => void;
}

/** A running command with all processes that it has started. `nest start`, for example, starts the service as a child. */
export class ChildCommand {
  /** The exit status, as soon as the command and everything that writes to its output has ended. */
  readonly ended: Promise<number>;
  private readonly child: ChildProcess;

  /** Starts it. */
  constructor(private readonly options: ChildCommandOptions) {
    const { file, args, shell } = planSpawn(options.command, process.platform);
    this.child = spawn(file, args, {
      shell,
      cwd: options.directory,
      env: { ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that all of it can be stopped.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', options.onLine);
    }
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code === 'ENOENT' ? 'was not found' : `cannot be started (${error.code})`;
        options.onLine(`the command '${options.command[0]}' ${reason}`);
        resolve(127);
      });
      this.child.once('close', (code) => resolve(code ?? 1));
    });
    process.once('exit', this.killNow);
    void this.ended.then(() => process.removeListener('exit', this.killNow));
  }

  /** Asks all of its processes to stop, and kills those that have not ended after 5 s. */
  async stop(): Promise<void> {
    endProcessTree(this.child, 'SIGTERM');
    const cancel = this.options.clock.schedule(STOP_WITHIN_MS, this.killNow);
    await this.ended;
    cancel();
    // Processes that had closed their output.
    this.killNow();
  }

  /** Kills all of its processes at once. */
  readonly killNow = (): void => endProcessTree(this.child, 'SIGKILL');
}
