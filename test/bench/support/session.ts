import { type BenchContext } from '../figure.js';
import { Cluster } from './cluster.js';
import { Load } from './load.js';
import { closeServers, type Server } from './server.js';

/** What a figure over HTTP needs. Servers that are added are closed with it. */
export interface Session {
  readonly cluster: Cluster;
  readonly load: Load;
  /** @returns the same server */
  add(server: Server): Server;
}

/** Starts the stand-in and the load generator, and closes both and all servers at the end, also after a failure. */
export async function inSession<T>(
  context: BenchContext,
  measure: (session: Session) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  const cluster = await Cluster.start(context);
  try {
    const load = await Load.start(context);
    try {
      return await measure({ cluster, load, add: (server) => (servers.push(server), server) });
    } finally {
      await closeServers(servers);
      await load.close();
    }
  } finally {
    await cluster.close();
  }
}
