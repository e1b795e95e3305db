import { type Figure, type Measurement, type Value, valueOf } from '../figure.js';
import { bearer } from '../support/cluster.js';
import { rotate } from '../support/rounds.js';
import { inSession } from '../support/session.js';
import { Fleet } from './fleet.js';

const BURST_TOKENS = 64;
const BURSTS_PER_ROUND = 8;
const PAUSE_MS = 30;
const GOAL_MS = 1.5;

const NAMES = ['none', 'plain-sync', 'jwt-pubkey'] as const;
type Name = (typeof NAMES)[number];
type Round = Readonly<Record<Name, { readonly stallMs: number; readonly durationMs: number }>>;

/** How long another request waits while 64 callers send their first token. ES384 is the dearest to verify. */
export const burst: Measurement = {
  id: 'burst',
  title: 'burst: longest stall of another request while 64 cold ES384 tokens arrive',
  isInShort: false,
  run: (context) =>
    inSession(context, async (session) => {
      const { cluster, load } = session;
      const fleet = await Fleet.start(context, session, { nest: NAMES });
      await fleet.warmUp(await cluster.mint(BURST_TOKENS, { algorithm: 'ES256' }));
      const measure = async (name: Name, bursts: readonly (readonly string[])[]) => {
        const { url } = fleet.server(name);
        const result = await load.runBursts({ url, probePath: '/open', bursts, pauseMs: PAUSE_MS });
        const stallMs = valueOf(result.stallsMs).median;
        return [name, { stallMs, durationMs: valueOf(result.durationsMs).median }] as const;
      };
      const rounds: Round[] = [];
      // The first round compiles the code, and does not count.
      for (let round = -1; round < context.rounds; round++) {
        context.signal.throwIfAborted();
        const tokens = await cluster.mint(BURST_TOKENS * BURSTS_PER_ROUND, { algorithm: 'ES384' });
        const bursts = Array.from({ length: BURSTS_PER_ROUND }, (_, index) =>
          tokens.slice(index * BURST_TOKENS, (index + 1) * BURST_TOKENS).map(bearer),
        );
        const samples: (readonly [Name, Round[Name]])[] = [];
        for (const name of rotate(NAMES, round + 1)) samples.push(await measure(name, bursts));
        const taken = Object.fromEntries(samples) as Round;
        const shown = NAMES.map((name) => `${name} ${taken[name].stallMs.toFixed(2)}`).join(', ');
        context.progress(`round ${round + 1}: ${shown} ms`);
        if (round >= 0) rounds.push(taken);
      }
      return figuresOf(rounds);
    }),
};

function figuresOf(rounds: readonly Round[]): Figure[] {
  const each = (form: (round: Round) => number): Value => valueOf(rounds.map(form));
  const stallOf = (name: Name) => each((round) => round[name].stallMs - round.none.stallMs);
  const plain = stallOf('plain-sync');
  return [
    {
      id: 'burst.stall.jwt-pubkey',
      name: 'longest stall of another request in a burst of 64 cold ES384 tokens, less no guard',
      unit: 'ms',
      value: stallOf('jwt-pubkey'),
      limit: { better: 'smaller', goal: GOAL_MS, gate: plain.median / 3 },
      note: `gate: a third of ${plain.median.toFixed(1)} ms, which a plain synchronous guard took in this run`,
    },
    {
      id: 'burst.stall.plain-sync',
      name: 'the same with a plain synchronous guard',
      unit: 'ms',
      value: plain,
    },
    ...NAMES.map((name) => ({
      id: `burst.duration.${name}`,
      name: `time until the last answer of a burst, ${name}`,
      unit: 'ms',
      value: each((round) => round[name].durationMs),
    })),
  ];
}
