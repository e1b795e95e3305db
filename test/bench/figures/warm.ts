import { type BenchContext, type Figure, type Limit, type Measurement } from '../figure.js';
import { libraryVariants, type NestVariant } from '../servers/nest.variants.js';
import { type PeerName } from '../servers/peers.js';
import { bearer } from '../support/cluster.js';
import { Rounds } from '../support/rounds.js';
import { measureServer } from '../support/server.js';
import { inSession } from '../support/session.js';
import { CONNECTIONS, Fleet, TOKENS_IN_ROTATION } from './fleet.js';

const SLICE_MS = 400;
// The differences between servers are a few microseconds, so they need more rounds than other figures.
const ROUNDS_FACTOR = 1.5;
// Two processes of the same server can differ by 15 % for their whole life, because of memory layout and of what V8 inlines. So
// the servers are started several times.
const FLEETS = 3;

// The gate of `.ci/run` is wide: it has to hold on a machine that does other work too.
const FLOOR: Limit = { better: 'larger', goal: 0.9, gate: 0.75 };
const FLOOR_IN_SHORT: Limit = { better: 'larger', goal: 0.9, gate: 0.45 };
const ADDED: Limit = { better: 'smaller', goal: 1, gate: 2 };
const OF_GO: Limit = { better: 'larger', goal: 2.7, gate: 2.1 };
const SIDECAR: Limit = { better: 'larger', goal: 30, gate: 20 };

const FULL = {
  nest: ['none', 'noop', 'with-metrics', ...libraryVariants] as readonly NestVariant[],
  peers: ['go-none', 'go-oidc', 'go-delegating', 'kube-rbac-proxy'] as readonly PeerName[],
};
const SHORT: { nest: readonly NestVariant[] } = { nest: ['none', 'jwt-pubkey', 'tokenreview'] };

/** Every token has been seen before. */
export const warm: Measurement = {
  id: 'warm',
  title: 'warm: CPU per request, 200 tokens in rotation',
  isInShort: true,
  async run(context) {
    const fleets = context.isShort ? 1 : FLEETS;
    const rounds = Math.ceil((context.rounds * ROUNDS_FACTOR) / fleets);
    const measured: Measured[] = [];
    while (measured.length < fleets) measured.push(await measureFleet({ ...context, rounds }));
    const last = measured.at(-1) as Measured;
    return figuresOf(last.fleet, Rounds.join(measured.map((one) => one.rounds)), context);
  },
};

interface Measured {
  readonly fleet: Fleet;
  readonly rounds: Rounds;
}

function measureFleet(context: BenchContext): Promise<Measured> {
  return inSession(context, async (session) => {
    const fleet = await Fleet.start(context, session, context.isShort ? SHORT : FULL);
    const tokens = await session.cluster.mint(TOKENS_IN_ROTATION);
    await fleet.warmUp(tokens);
    const rounds = await Rounds.run(
      fleet.names,
      (name) =>
        measureServer(fleet.server(name), session.load, {
          connections: CONNECTIONS,
          authorizations: tokens.map(bearer),
          limit: { durationMs: SLICE_MS },
          staysAwake: true,
        }),
      { ...context, reference: 'none' },
    );
    return { fleet, rounds };
  });
}

function figuresOf(fleet: Fleet, rounds: Rounds, { isShort }: BenchContext): Figure[] {
  const kinds = libraryVariants.filter((kind) => fleet.names.includes(kind));
  const ratios = kinds.map((kind) =>
    fleet.figure(
      rounds,
      {
        id: `warm.ratio.${kind}`,
        name: `warm CPU, no guard / ${kind}`,
        unit: 'ratio',
        limit: isShort ? FLOOR_IN_SHORT : FLOOR,
      },
      [kind],
      (cpuUs) => cpuUs('none') / cpuUs(kind),
    ),
  );
  const costs = fleet.names.flatMap((name) => costsOf(fleet, rounds, name));
  if (isShort) return [...ratios, ...costs];
  return [
    ...ratios,
    fleet.figure(
      rounds,
      { id: 'warm.ratio.noop', name: 'warm CPU, no guard / a guard that does nothing', unit: 'ratio' },
      ['noop'],
      (cpuUs) => cpuUs('none') / cpuUs('noop'),
    ),
    fleet.figure(
      rounds,
      { id: 'warm.ratio.metrics', name: 'warm CPU, jwt-pubkey / jwt-pubkey with metrics', unit: 'ratio' },
      ['with-metrics', 'jwt-pubkey'],
      (cpuUs) => cpuUs('jwt-pubkey') / cpuUs('with-metrics'),
    ),
    ...kinds.flatMap((kind) => againstGo(fleet, rounds, kind)),
    fleet.figure(
      rounds,
      {
        id: 'warm.sidecar',
        name: 'CPU of a kube-rbac-proxy sidecar / CPU added by tokenreview',
        unit: 'ratio',
        limit: SIDECAR,
      },
      ['kube-rbac-proxy'],
      (cpuUs) => cpuUs('kube-rbac-proxy') / (cpuUs('tokenreview') - cpuUs('none')),
    ),
    ...costs,
  ];
}

function againstGo(fleet: Fleet, rounds: Rounds, kind: string): Figure[] {
  return [
    fleet.figure(
      rounds,
      {
        id: `warm.added.${kind}`,
        name: `warm added CPU, ${kind} / Go delegating authenticator`,
        unit: 'ratio',
        limit: ADDED,
      },
      ['go-none', 'go-delegating'],
      (cpuUs) => (cpuUs(kind) - cpuUs('none')) / (cpuUs('go-delegating') - cpuUs('go-none')),
    ),
    fleet.figure(
      rounds,
      {
        id: `warm.of-go.${kind}`,
        name: `warm requests per CPU second, ${kind} / Go verifying each request`,
        unit: 'ratio',
        limit: OF_GO,
      },
      ['go-oidc'],
      (cpuUs) => cpuUs('go-oidc') / cpuUs(kind),
    ),
  ];
}

/** For people: what the ratios are made of. */
function costsOf(fleet: Fleet, rounds: Rounds, name: string): Figure[] {
  const cost = fleet.figure(
    rounds,
    { id: `warm.cpu.${name}`, name: `warm CPU per request, ${name}`, unit: 'us' },
    [name],
    (cpuUs) => cpuUs(name),
  );
  return [
    cost,
    {
      id: `warm.throughput.${name}`,
      name: `warm requests per second, ${name}`,
      unit: 'requests/s',
      value: rounds.field(name, 'requestsPerSecond'),
    },
    {
      id: `warm.p99.${name}`,
      name: `warm p99 at ${CONNECTIONS} connections, ${name}`,
      unit: 'ms',
      value: rounds.field(name, 'p99Ms'),
    },
  ];
}
