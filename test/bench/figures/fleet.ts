import { type BenchContext, type Figure } from '../figure.js';
import { startNest } from '../servers/nest.js';
import { type NestVariant } from '../servers/nest.variants.js';
import { isAvailable, type PeerName, startPeer } from '../servers/peers.js';
import { bearer } from '../support/cluster.js';
import { type Rounds } from '../support/rounds.js';
import { type Server } from '../support/server.js';
import { type Session } from '../support/session.js';

/** What all figures over HTTP have in common, as the table states it. */
export const CONNECTIONS = 64;
export const TOKENS_IN_ROTATION = 200;
// After so many requests V8 has compiled what is hot. A busy machine needs longer for them, up to the limit.
const WARM_UP_REQUESTS = 20_000;
const WARM_UP_SLICE_MS = 500;
const MAX_WARM_UP_SLICES = 20;

/** The servers of one measurement, all alive at once. */
export class Fleet {
  private readonly servers = new Map<string, Server>();
  private readonly reasons = new Map<string, string>();

  private constructor(private readonly session: Session) {}

  static async start(
    context: BenchContext,
    session: Session,
    { nest, peers = [] }: { readonly nest: readonly NestVariant[]; readonly peers?: readonly PeerName[] },
  ): Promise<Fleet> {
    const fleet = new Fleet(session);
    for (const variant of nest) {
      fleet.servers.set(variant, session.add(await startNest(context, session.cluster, variant)));
    }
    for (const name of peers) {
      const peer = await startPeer(name, context, session.cluster);
      if (isAvailable(peer)) fleet.servers.set(name, session.add(peer));
      else fleet.reasons.set(name, peer.unavailable);
    }
    return fleet;
  }

  /** The variants that run. */
  get names(): readonly string[] {
    return [...this.servers.keys()];
  }

  server(name: string): Server {
    const server = this.servers.get(name);
    if (!server) throw new Error(`server "${name}" was not started`);
    return server;
  }

  /** Compiles the hot code of each server, and lets it cache the tokens. */
  async warmUp(tokens: readonly string[]): Promise<void> {
    const options = { connections: CONNECTIONS, authorizations: tokens.map(bearer) };
    for (const { url } of this.servers.values()) {
      let requests = 0;
      for (let slice = 0; slice < MAX_WARM_UP_SLICES && requests < WARM_UP_REQUESTS; slice++) {
        const limit = { durationMs: WARM_UP_SLICE_MS };
        requests += (await this.session.load.run({ url, ...options, limit })).requests;
      }
    }
  }

  /** A figure from the rounds, or a row that says which peer did not run. */
  figure(
    rounds: Rounds,
    base: Pick<Figure, 'id' | 'name' | 'unit' | 'limit'>,
    needs: readonly string[],
    form: (cpuUs: (variant: string) => number) => number,
  ): Figure {
    const missing = needs.find((name) => !this.servers.has(name));
    if (missing !== undefined)
      return { ...base, note: this.reasons.get(missing) ?? `${missing} did not run` };
    const { note } = rounds;
    return { ...base, value: rounds.value(form), ...(note !== undefined && { note }) };
  }
}
