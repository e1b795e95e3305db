import { type BenchContext, type Measurement } from '../figure.js';
import { startWorkers, type Workers } from '../servers/nest-cluster.js';
import { bearer } from '../support/cluster.js';
import { Rounds, type Sample } from '../support/rounds.js';
import { inSession, type Session } from '../support/session.js';
import { CONNECTIONS } from './fleet.js';

const TOKENS_PER_ROUND = 4_000;
const WARM_UP_BATCHES = 3;

/**
 * How far a second worker of `node:cluster` helps when every token is cold. With two cores the load generator takes a
 * part of both, so requests per second would say little. Instead: how many requests the workers answer until the
 * busiest one has used a second of CPU. Work that doubles, or a worker that gets more than its share, shows here.
 */
export const workers: Measurement = {
  id: 'workers',
  title: 'workers: two workers of node:cluster / one, each token once',
  isInShort: false,
  run: (context) =>
    inSession(context, async (session) => {
      const variants = new Map<string, Workers>();
      for (const count of [1, 2]) {
        const started = await startWorkers(context, session.cluster, { variant: 'jwt-pubkey', count });
        session.add(started.server);
        variants.set(String(count), started);
      }
      return measureWorkers(context, session, variants);
    }),
};

async function measureWorkers(
  context: BenchContext,
  { cluster, load }: Session,
  variants: ReadonlyMap<string, Workers>,
) {
  // Both variants see the same tokens, each token once.
  let tokens = { round: Number.NaN, headers: [] as string[] };
  const measure = async (name: string, round: number): Promise<Sample> => {
    if (tokens.round !== round) {
      tokens = { round, headers: (await cluster.mint(TOKENS_PER_ROUND)).map(bearer) };
    }
    const started = variants.get(name);
    if (!started) throw new Error(`no such variant: ${name}`);
    const before = await started.cpuUsByWorker();
    const { requests, durationMs, p50Ms, p99Ms } = await load.run({
      url: started.server.url,
      connections: CONNECTIONS,
      authorizations: tokens.headers,
      limit: 'each once',
    });
    const spentUs = (await started.cpuUsByWorker()).map((cpuUs, index) => cpuUs - (before[index] ?? 0));
    return {
      cpuUsPerRequest: Math.max(...spentUs) / requests,
      requestsPerSecond: (requests / durationMs) * 1000,
      p50Ms,
      p99Ms,
    };
  };
  const names = [...variants.keys()];
  // Each of two workers gets half of a batch, so two workers need twice as many until V8 has compiled what is hot.
  for (let batch = 1; batch <= WARM_UP_BATCHES * 2; batch++) {
    for (const name of names) if (batch <= WARM_UP_BATCHES * Number(name)) await measure(name, -batch);
  }
  const rounds = await Rounds.run(names, measure, { ...context, reference: '1' });
  const { note } = rounds;
  return [
    {
      id: 'workers.two',
      name: 'requests per CPU second of the busiest worker, two workers / one, cold',
      unit: 'ratio',
      value: rounds.value((cpuUs) => cpuUs('1') / cpuUs('2')),
      limit: { better: 'larger' as const, goal: 1.8, gate: 1.6 },
      ...(note !== undefined && { note }),
    },
    ...names.map((name) => ({
      id: `workers.throughput.${name}`,
      name: `cold requests per second, ${name === '1' ? 'one worker' : 'two workers'}, load on the same cores`,
      unit: 'requests/s',
      value: rounds.field(name, 'requestsPerSecond'),
    })),
  ];
}
