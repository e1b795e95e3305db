import { fileURLToPath } from 'node:url';
import { type BenchContext } from '../figure.js';
import { type BurstOptions, type BurstResult } from './bursts.js';
import { Child } from './child.js';

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  /** Values of the `Authorization` header in rotation; `null` sends none. */
  readonly authorizations: readonly (string | null)[];
  /** `each once`: every header is sent by one request, for tokens that the server has not seen. */
  readonly limit: { readonly durationMs: number } | 'each once';
  /**
   * Keeps the load generator running while it waits. Otherwise the processor time for waking it up is counted for the server
   * that sends the response, more often for a slower one. Not for servers that need other programs on the same core.
   */
  readonly staysAwake?: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly durationMs: number;
  /** How often each status was received. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The load generator (autocannon) in its own process, on the other core than the servers. */
export class Load {
  private constructor(private readonly child: Child) {}

  static async start(context: BenchContext): Promise<Load> {
    const program = fileURLToPath(new URL('load.process.js', import.meta.url));
    const { child } = await Child.start(context, { name: 'load', args: [program], role: 'load' });
    return new Load(child);
  }

  /** @throws {Error} a connection failed, or a response had another status than `expected` */
  async run(options: LoadOptions, expected = 200): Promise<LoadResult> {
    let result = await this.child.ask<LoadResult>('send', options);
    if (result.requests === 0 && options.limit !== 'each once') {
      // A very busy machine may need the whole time to open the connections.
      const limit = { durationMs: options.limit.durationMs * 10 };
      result = await this.child.ask<LoadResult>('send', { ...options, limit });
    }
    const { requests, statuses, errors } = result;
    if (requests === 0 || errors > 0 || statuses[expected] !== requests) {
      const received = JSON.stringify(statuses);
      throw new Error(`${options.url}: expected only ${expected}, received ${received}, ${errors} errors`);
    }
    return result;
  }

  /** @throws {Error} a response had another status than 200 */
  runBursts(options: BurstOptions): Promise<BurstResult> {
    return this.child.ask<BurstResult>('runBursts', options);
  }

  close(): Promise<void> {
    return this.child.close();
  }
}
