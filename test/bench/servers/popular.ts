import { fileURLToPath } from 'node:url';
import { type BenchContext } from '../figure.js';
import { type Cluster } from '../support/cluster.js';
import { type Server, startServer } from '../support/server.js';
import { type PopularGuard } from './popular.guards.js';

/** Nest with a guard as most people write it. */
export type PopularPeerName = `nest-${PopularGuard}`;

const program = fileURLToPath(new URL('popular.process.js', import.meta.url));

export function startPopular(
  name: PopularPeerName,
  context: BenchContext,
  { files }: Cluster,
): Promise<Server> {
  const guard = name.slice('nest-'.length);
  return startServer(context, {
    name,
    args: [program, guard, JSON.stringify(files)],
    // The guards fetch keys with the HTTP client that their package chose, which trusts what Node trusts.
    environment: { NODE_EXTRA_CA_CERTS: files.caFile },
  });
}
