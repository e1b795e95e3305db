import { type ShellSession } from './shell-session.fixture.js';
import { findDifference } from './shown-output.fixture.js';
import { type Step } from './steps.fixture.js';

/** Executes the steps of a page in their order. A step that fails is the last one: the others build on it. */
export class PageRun {
  /** Line numbers of the blocks that worked as the page says. */
  readonly succeeded: number[] = [];
  private failed?: Step;

  constructor(private readonly session: Pick<ShellSession, 'run'>) {}

  /** @throws {Error} a command failed, it printed something else, or an earlier step had failed */
  async perform(step: Step): Promise<void> {
    if (this.failed) throw new Error(`not reached: the block of line ${this.failed.line} failed`);
    this.failed = step;
    const printed = await this.session.run(step.commands, step.deadlineMs);
    const difference = findDifference(step.shown, printed);
    if (difference !== undefined) throw new Error(difference);
    this.failed = undefined;
    this.succeeded.push(step.line);
  }
}
