import { type BenchContext } from '../figure.js';
import { Child, type ChildOptions } from './child.js';
import { type Load, type LoadOptions } from './load.js';
import { type Sample } from './rounds.js';

/** A variant under measurement: a process that listens on loopback. */
export interface Server {
  readonly name: string;
  readonly url: string;
  /** Every process whose CPU counts: more than one if a proxy or workers belong to the variant. */
  readonly processes: readonly Child[];
}

/** Starts a server on the core of the servers. */
export async function startServer(context: BenchContext, options: ChildOptions): Promise<Server> {
  const { child, url } = await Child.start(context, { role: 'server', ...options });
  return { name: options.name, url, processes: [child] };
}

export async function closeServers(servers: Iterable<Server>): Promise<void> {
  await Promise.all([...servers].flatMap(({ processes }) => processes.map((child) => child.close())));
}

export interface MeasureOptions extends Omit<LoadOptions, 'url'> {
  /** @default 200 */
  readonly expected?: number;
}

/** The server's CPU per request while the load runs. @throws {Error} a response had another status */
export async function measureServer(
  { url, processes }: Server,
  load: Load,
  { expected = 200, ...options }: MeasureOptions,
): Promise<Sample> {
  const before = await cpuUsOf(processes);
  const { requests, durationMs, p50Ms, p99Ms } = await load.run({ url, ...options }, expected);
  const spentUs = (await cpuUsOf(processes)) - before;
  return {
    cpuUsPerRequest: spentUs / requests,
    requestsPerSecond: (requests / durationMs) * 1000,
    p50Ms,
    p99Ms,
  };
}

async function cpuUsOf(processes: readonly Child[]): Promise<number> {
  const each = await Promise.all(processes.map((child) => child.cpuUs()));
  return each.reduce((sum, own) => sum + own, 0);
}
