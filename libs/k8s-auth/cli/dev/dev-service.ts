import { type Clock } from '../../src/util/clock.js';
import { isBootLine } from './boot-log.js';
import { ChildCommand } from './child-command.js';
import { type ServiceOptions } from './dev.options.js';

// Compilers in watch mode clear the screen, and with it the lines that the user needs.
// eslint-disable-next-line no-control-regex -- escape sequences
const CLEAR_SCREEN = /\u001bc|\u001b\[[0-3]?J|\u001b\[(1;1)?H/g;

export interface DevServiceOptions {
  readonly service: ServiceOptions;
  /** Read at each start. */
  readonly environment: () => Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly clock: Clock;
  readonly isVerbose: boolean;
  readonly writeLine: (line: string) => void;
  /** Called with every line, also with those that are not written. */
  readonly onLine?: (line: string) => void;
  /** The command ended, and nobody had asked for it. */
  readonly onEnd: (status: number) => void;
}

/** One command that can be restarted. */
export class DevService {
  private running: ChildCommand | undefined;
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: DevServiceOptions) {}

  start(): void {
    const { service, environment, directory, clock, onEnd } = this.options;
    const child = new ChildCommand({
      command: service.command,
      environment: environment(),
      directory,
      clock,
      onLine: (line) => this.show(line),
    });
    this.running = child;
    void child.ended.then((status) => {
      if (this.running !== child || this.stopping) return;
      this.running = undefined;
      onEnd(status);
    });
  }

  /** Stops the command, if it runs. */
  async stop(): Promise<void> {
    this.stopping ??= this.running?.stop();
    await this.stopping;
    this.running = undefined;
    this.stopping = undefined;
  }

  /** Kills it if it does not stop by itself fast enough for the user. */
  kill(): void {
    this.running?.killNow();
  }

  private show(line: string): void {
    const visible = line.replace(CLEAR_SCREEN, '');
    if (this.options.isVerbose || (visible.trim() !== '' && !isBootLine(visible))) {
      this.options.writeLine(visible);
    }
    // What is said about a line follows it.
    this.options.onLine?.(visible);
  }
}
