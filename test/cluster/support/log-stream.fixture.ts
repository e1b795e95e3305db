import { createInterface } from 'node:readline';
import { type Cluster } from './cluster.fixture.js';

/** The log of a pod as it is written, from its beginning: `kubectl logs --follow`. */
export class LogStream {
  readonly lines: string[] = [];
  private readonly child;
  private readonly closed: Promise<unknown>;
  private wake = () => {};

  /** @param subject such as `deployment/service1` or a pod's name; its container has to be running */
  constructor(cluster: Cluster, subject: string, namespace = 'mytest') {
    this.child = cluster.spawnKubectl('logs', '--follow', '--namespace', namespace, subject);
    createInterface(this.child.stdout).on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
    this.closed = new Promise((resolve) => this.child.once('close', resolve));
  }

  /**
   * The first line, of those from `from` on, that matches.
   * @throws {Error} with the last lines, when there is none for `timeoutMs`
   */
  async line(pattern: RegExp, { from = 0, timeoutMs = 60_000 } = {}): Promise<string> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = this.lines.slice(from).find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        this.wake = resolve;
        const seen = () =>
          `no line like ${String(pattern)}; the last ones: ${this.lines.slice(-5).join('\n')}`;
        deadline.addEventListener('abort', () => reject(new Error(seen())), { once: true });
        if (deadline.aborted) reject(new Error(seen()));
      });
    }
  }

  async stop(): Promise<void> {
    this.child.kill();
    await this.closed;
  }
}
