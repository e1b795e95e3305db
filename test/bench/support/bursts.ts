/** Bursts of requests beside a connection that keeps asking another route. Runs in the load process. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface BurstOptions {
  readonly url: string;
  /** A route that is not protected. */
  readonly probePath: string;
  /** One list for each burst: all requests of a list are sent at once, each on its own connection. */
  readonly bursts: readonly (readonly string[])[];
  readonly pauseMs: number;
}

export interface BurstResult {
  /** For each burst: the longest time that a probe waited. */
  readonly stallsMs: readonly number[];
  /** For each burst: the time until its last answer. */
  readonly durationsMs: readonly number[];
}

const ANSWER = /^HTTP\/1\.1 200 [^]*\r\n\r\n[^]*\}$/;
const LIMIT_MS = 10_000;

/** @throws {Error} an answer is not a 200, or does not arrive */
export async function runBursts({ url, probePath, bursts, pauseMs }: BurstOptions): Promise<BurstResult> {
  const { hostname, port, host } = new URL(url);
  const open = () => Connection.open(hostname, Number(port));
  const probe = await open();
  const connections = await Promise.all((bursts[0] ?? []).map(open));
  const text = (path: string, headers: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`;
  const probeText = text(probePath, '');
  const result = { stallsMs: [] as number[], durationsMs: [] as number[] };
  try {
    for (const burst of bursts) {
      const requests = burst.map((authorization) => text('/', `Authorization: ${authorization}\r\n`));
      await sleep(pauseMs);
      // Wakes both processes up, so that the first probe of the burst is not slow for another reason.
      for (let count = 0; count < 20; count++) await probe.ask(probeText);
      const { stallMs, durationMs } = await runBurst(connections, requests, () => probe.ask(probeText));
      result.stallsMs.push(stallMs);
      result.durationsMs.push(durationMs);
    }
    return result;
  } finally {
    for (const connection of [probe, ...connections]) connection.close();
  }
}

async function runBurst(
  connections: readonly Connection[],
  requests: readonly string[],
  probe: () => Promise<number>,
): Promise<{ stallMs: number; durationMs: number }> {
  const startedMs = performance.now();
  let isDone = false;
  // A probe is on its way when the burst arrives, and others follow until the burst is answered.
  const answers = connections.map((connection, index) => connection.ask(requests[index] ?? ''));
  const all = Promise.all(answers).finally(() => (isDone = true));
  let stallMs = 0;
  do stallMs = Math.max(stallMs, await probe());
  while (!isDone);
  await all;
  return { stallMs, durationMs: performance.now() - startedMs };
}

/** One connection with one request at a time. */
class Connection {
  private text = '';
  private pending?: { resolve: (durationMs: number) => void; reject: (error: Error) => void; sentMs: number };

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true).setTimeout(LIMIT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => this.receive(chunk.toString('latin1')));
    socket.on('error', (error) => this.pending?.reject(error));
    socket.on('close', () => this.pending?.reject(new Error('the connection was closed')));
  }

  static open(this: void, host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  /** @returns how long the answer took, in milliseconds */
  ask(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.text = '';
      this.pending = { resolve, reject, sentMs: performance.now() };
      this.socket.write(request);
    });
  }

  close(): void {
    this.pending = undefined;
    this.socket.destroy();
  }

  private receive(chunk: string): void {
    this.text += chunk;
    if (!this.text.endsWith('}') || !this.pending) return;
    const { resolve, reject, sentMs } = this.pending;
    this.pending = undefined;
    if (ANSWER.test(this.text)) resolve(performance.now() - sentMs);
    else reject(new Error(`expected 200, received ${this.text.slice(0, this.text.indexOf('\r\n'))}`));
  }
}
