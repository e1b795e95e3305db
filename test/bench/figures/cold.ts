import { type Figure, type Limit, type Measurement } from '../figure.js';
import { bearer } from '../support/cluster.js';
import { Rounds } from '../support/rounds.js';
import { measureServer } from '../support/server.js';
import { inSession, type Session } from '../support/session.js';
import { CONNECTIONS, Fleet } from './fleet.js';

// Enough that opening the connections is a small part of the CPU.
const TOKENS_PER_ROUND = 3_000;
const WARM_UP_BATCHES = 2;
const LOCAL = ['jwt-pubkey', 'oidc-discovery'] as const;

const OF_GO: Limit = { better: 'larger', goal: 1, gate: 0.8 };
const ADDED: Limit = { better: 'smaller', goal: 0.95, gate: 1.15 };

/** Every request carries a token that no server has seen: the same new tokens for all servers of a round. */
export const cold: Measurement = {
  id: 'cold',
  title: 'cold: CPU per request, each token once',
  isInShort: false,
  run: (context) =>
    inSession(context, async (session) => {
      const fleet = await Fleet.start(context, session, {
        nest: ['none', 'plain-sync', ...LOCAL],
        peers: ['go-none', 'go-oidc'],
      });
      await fleet.warmUp(await session.cluster.mint(CONNECTIONS));
      const batches = new Batches(session);
      const measure = async (name: string, round: number) =>
        measureServer(fleet.server(name), session.load, {
          connections: CONNECTIONS,
          authorizations: await batches.of(round),
          limit: 'each once',
        });
      for (let batch = 1; batch <= WARM_UP_BATCHES; batch++) {
        for (const name of fleet.names) await measure(name, -batch);
      }
      return figuresOf(fleet, await Rounds.run(fleet.names, measure, { ...context, reference: 'none' }));
    }),
};

/** New tokens for each round. They are signed before the first server of the round is measured. */
class Batches {
  private current?: { readonly round: number; readonly headers: readonly string[] };

  constructor(private readonly session: Session) {}

  async of(round: number): Promise<readonly string[]> {
    if (this.current?.round !== round) {
      const tokens = await this.session.cluster.mint(TOKENS_PER_ROUND);
      this.current = { round, headers: tokens.map(bearer) };
    }
    return this.current.headers;
  }
}

function figuresOf(fleet: Fleet, rounds: Rounds): Figure[] {
  return [
    ...[...LOCAL, 'plain-sync'].flatMap((name) => againstGo(fleet, rounds, name)),
    ...fleet.names.map((name) =>
      fleet.figure(
        rounds,
        { id: `cold.cpu.${name}`, name: `cold CPU per request, ${name}`, unit: 'us' },
        [name],
        (cpuUs) => cpuUs(name),
      ),
    ),
    ...fleet.names.map((name) => ({
      id: `cold.throughput.${name}`,
      name: `cold requests per second, ${name}`,
      unit: 'requests/s',
      value: rounds.field(name, 'requestsPerSecond'),
    })),
  ];
}

/** `plain-sync` is what most people write. It has no limit, because it is not ours. */
function againstGo(fleet: Fleet, rounds: Rounds, name: string): Figure[] {
  const isOurs = name !== 'plain-sync';
  return [
    fleet.figure(
      rounds,
      {
        id: `cold.of-go.${name}`,
        name: `cold requests per CPU second, ${name} / Go verifying each request`,
        unit: 'ratio',
        ...(isOurs && { limit: OF_GO }),
      },
      ['go-oidc'],
      (cpuUs) => cpuUs('go-oidc') / cpuUs(name),
    ),
    fleet.figure(
      rounds,
      {
        id: `cold.added.${name}`,
        name: `cold added CPU, ${name} / Go verifying each request`,
        unit: 'ratio',
        ...(isOurs && { limit: ADDED }),
      },
      ['go-none', 'go-oidc'],
      (cpuUs) => (cpuUs(name) - cpuUs('none')) / (cpuUs('go-oidc') - cpuUs('go-none')),
    ),
  ];
}
