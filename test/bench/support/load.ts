import { fileURLToPath } from 'node:url';
import { type BenchContext } from '../figure.js';
import { Child } from './child.js';

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  /** Values of the `Authorization` header in rotation; `null` sends none. */
  readonly authorizations: readonly (string | null)[];
  readonly limit: { readonly durationMs: number } | { readonly requests: number };
  /** Sends each header exactly once, for cold tokens. `limit` has to be the number of headers. @default false */
  readonly sendEachOnce?: boolean;
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
    const result = await this.child.ask<LoadResult>('run', options);
    const { requests, statuses, errors } = result;
    if (requests === 0 || errors > 0 || statuses[expected] !== requests) {
      const received = JSON.stringify(statuses);
      throw new Error(`${options.url}: expected only ${expected}, received ${received}, ${errors} errors`);
    }
    return result;
  }

  close(): Promise<void> {
    return this.child.close();
  }
}
