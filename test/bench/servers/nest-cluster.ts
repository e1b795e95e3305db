import { fileURLToPath } from 'node:url';
import { type BenchContext } from '../figure.js';
import { Child } from '../support/child.js';
import { type Cluster } from '../support/cluster.js';
import { proveAuthentication } from '../support/proof.js';
import { type Server } from '../support/server.js';
import { type NestVariant } from './nest.variants.js';

const program = fileURLToPath(new URL('nest-cluster.process.js', import.meta.url));

export interface Workers {
  readonly server: Server;
  /** User and system time of each worker so far. */
  cpuUsByWorker(): Promise<readonly number[]>;
}

/** Starts workers of `node:cluster` that share a port. They may use every core. */
export async function startWorkers(
  context: BenchContext,
  cluster: Cluster,
  { variant, count }: { readonly variant: NestVariant; readonly count: number },
): Promise<Workers> {
  const name = `${variant} with ${count} workers`;
  const args = [program, variant, JSON.stringify(cluster.files), String(count)];
  const { child, url } = await Child.start(context, { name, args });
  const server = { name, url, processes: [child] };
  await proveAuthentication(server, cluster);
  return { server, cpuUsByWorker: () => child.ask<number[]>('cpuUsByWorker') };
}
