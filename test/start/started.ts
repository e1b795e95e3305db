import { RunningProcess } from '../support/running-process.js';

/** `npm start` without npm: the same script. */
export class Started extends RunningProcess {
  constructor(...options: string[]) {
    super({ args: ['scripts/npm-start.mjs', ...options] });
  }

  /** Ctrl-C. @returns the exit code */
  interrupt(): Promise<number | null> {
    return this.signal('SIGINT');
  }
}
