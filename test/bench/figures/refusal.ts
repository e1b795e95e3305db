import { type Limit, type Measurement } from '../figure.js';
import { bearer } from '../support/cluster.js';
import { withBadSignature } from '../support/proof.js';
import { Rounds } from '../support/rounds.js';
import { measureServer, type MeasureOptions } from '../support/server.js';
import { inSession } from '../support/session.js';
import { CONNECTIONS, Fleet, TOKENS_IN_ROTATION } from './fleet.js';

const SLICE_MS = 400;
const BAD_SIGNATURES = 5_000;

type Case = 'warm' | 'no-header' | 'bad-signature';
const LIMITS: Readonly<Record<Exclude<Case, 'warm'>, { readonly name: string; readonly limit: Limit }>> = {
  'no-header': { name: 'no header', limit: { better: 'smaller', goal: 1.6, gate: 2.3 } },
  'bad-signature': { name: 'bad signature', limit: { better: 'smaller', goal: 3, gate: 4 } },
};

/** What a refused request costs. Bad signatures never repeat, so no memory of refused tokens helps. */
export const refusal: Measurement = {
  id: 'refusal',
  title: 'refusal: CPU per refused request',
  isInShort: false,
  run: (context) =>
    inSession(context, async (session) => {
      const fleet = await Fleet.start(context, session, { nest: ['jwt-pubkey'] });
      const server = fleet.server('jwt-pubkey');
      const tokens = await session.cluster.mint(TOKENS_IN_ROTATION);
      await fleet.warmUp(tokens);
      const optionsOf = (kind: string): Omit<MeasureOptions, 'connections'> => {
        const limit = { durationMs: SLICE_MS };
        if (kind === 'warm') return { authorizations: tokens.map(bearer), limit };
        if (kind === 'no-header') return { authorizations: [null], limit, expected: 401 };
        const forged = Array.from({ length: BAD_SIGNATURES }, (_, index) =>
          withBadSignature(tokens[index % tokens.length] ?? ''),
        );
        return { authorizations: forged.map(bearer), limit: 'each once', expected: 401 };
      };
      const measure = (kind: string) =>
        measureServer(server, session.load, { connections: CONNECTIONS, ...optionsOf(kind) });
      const cases: readonly Case[] = ['warm', 'no-header', 'bad-signature'];
      for (const kind of [...cases, ...cases]) await measure(kind);
      const rounds = await Rounds.run(cases, measure, { ...context, reference: 'warm' });
      return [
        ...Object.entries(LIMITS).map(([id, { name, limit }]) =>
          fleet.figure(
            rounds,
            { id: `refusal.${id}`, name: `refusal CPU (${name}) / warm 200`, unit: 'ratio', limit },
            [],
            (cpuUs) => cpuUs(id) / cpuUs('warm'),
          ),
        ),
        ...cases.map((id) => ({
          id: `refusal.cpu.${id}`,
          name: `CPU per request, ${id}`,
          unit: 'us',
          value: rounds.cpuUs(id),
        })),
      ];
    }),
};
