import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { type Cluster } from './cluster.fixture.js';

// A kubelet without free file watchers closes streams that follow a log.
const FOLLOW_AGAIN_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/** The log of a pod as it is written, from its beginning: `kubectl logs --follow`. */
export class LogStream {
  readonly lines: string[] = [];
  private readonly stopping = new AbortController();
  private readonly following: Promise<void>;
  private waiting: (() => void)[] = [];

  /** @param subject such as `deployment/service1` or a pod's name; its container has to be running */
  constructor(
    private readonly cluster: Cluster,
    private readonly subject: string,
    private readonly namespace = 'mytest',
  ) {
    this.following = this.followUntilStopped();
  }

  /** Waits for one line, with a separate stream. */
  static async lineOf(
    cluster: Cluster,
    subject: string,
    pattern: RegExp,
    namespace?: string,
  ): Promise<string> {
    const log = new LogStream(cluster, subject, namespace);
    try {
      return await log.line(pattern);
    } finally {
      await log.stop();
    }
  }

  /**
   * The first line that matches.
   * @throws {Error} with the last lines, when there is none for a minute
   */
  async line(pattern: RegExp): Promise<string> {
    const deadline = AbortSignal.timeout(LONGEST_WAIT_MS);
    deadline.addEventListener('abort', () => this.wake(), { once: true });
    while (!deadline.aborted) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    throw new Error(`no line like ${String(pattern)}; the last ones: ${this.lines.slice(-5).join('\n')}`);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async followUntilStopped(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.follow(signal);
      // Must not keep the test run alive: a failed scenario may not have stopped the stream.
      await setTimeout(FOLLOW_AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Resolves when the stream has ended. */
  private async follow(signal: AbortSignal): Promise<void> {
    let isAgain = this.lines.length > 0;
    const child = this.cluster.spawnKubectl('logs', '--follow', '--namespace', this.namespace, this.subject);
    const kill = () => child.kill();
    signal.addEventListener('abort', kill);
    createInterface(child.stdout).on('line', (line) => {
      // Cleared only now: the log of a deleted pod cannot be read again, so the lines that were read are kept until
      // then.
      if (isAgain) this.lines.length = 0;
      isAgain = false;
      this.lines.push(line);
      this.wake();
    });
    await once(child, 'close');
    signal.removeEventListener('abort', kill);
  }
}
