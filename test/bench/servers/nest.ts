import { fileURLToPath } from 'node:url';
import { type BenchContext } from '../figure.js';
import { type Cluster } from '../support/cluster.js';
import { proveAuthentication } from '../support/proof.js';
import { type Server, startServer } from '../support/server.js';
import { type NestVariant } from './nest.variants.js';

const program = fileURLToPath(new URL('nest.process.js', import.meta.url));
const OPEN: readonly NestVariant[] = ['none', 'noop'];

/** Starts a Nest server on the core of the servers. One that authenticates has proved it when this returns. */
export async function startNest(
  context: BenchContext,
  cluster: Cluster,
  variant: NestVariant,
): Promise<Server> {
  const args = [program, variant, JSON.stringify(cluster.files)];
  const server = await startServer(context, { name: variant, args });
  if (!OPEN.includes(variant)) await proveAuthentication(server, cluster);
  return server;
}
