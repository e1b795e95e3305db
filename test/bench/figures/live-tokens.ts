import { type Limit, type Measurement } from '../figure.js';
import { bearer } from '../support/cluster.js';
import { Rounds } from '../support/rounds.js';
import { measureServer } from '../support/server.js';
import { inSession } from '../support/session.js';
import { CONNECTIONS, Fleet } from './fleet.js';

const SLICE_MS = 500;
const COUNTS = [10, 1_000, 5_000] as const;
const FLAT: Limit = { better: 'smaller', goal: 1.1, gate: 1.25 };

/** Whether a request gets dearer when more callers are active. */
export const liveTokens: Measurement = {
  id: 'live-tokens',
  title: 'live tokens: CPU per request with 10, 1,000 and 5,000 tokens in rotation',
  isInShort: false,
  run: (context) =>
    inSession(context, async (session) => {
      const fleet = await Fleet.start(context, session, { nest: ['jwt-pubkey'] });
      const headers = (await session.cluster.mint(Math.max(...COUNTS))).map(bearer);
      const server = fleet.server('jwt-pubkey');
      const measure = (count: string) =>
        measureServer(server, session.load, {
          connections: CONNECTIONS,
          authorizations: headers.slice(0, Number(count)),
          limit: { durationMs: SLICE_MS },
          staysAwake: true,
        });
      const names = COUNTS.map(String);
      await fleet.warmUp([...(await session.cluster.mint(CONNECTIONS))]);
      await measureServer(server, session.load, {
        connections: CONNECTIONS,
        authorizations: headers,
        limit: 'each once',
      });
      const rounds = await Rounds.run(names, measure, { ...context, reference: '10' });
      return [
        ...COUNTS.slice(1).map((count) =>
          fleet.figure(
            rounds,
            {
              id: `live-tokens.${count}`,
              name: `CPU per request with ${count.toLocaleString('en')} live tokens / with 10`,
              unit: 'ratio',
              limit: FLAT,
            },
            [],
            (cpuUs) => cpuUs(String(count)) / cpuUs('10'),
          ),
        ),
        ...names.map((count) => ({
          id: `live-tokens.cpu.${count}`,
          name: `CPU per request with ${count} live tokens`,
          unit: 'us',
          value: rounds.cpuUs(count),
        })),
      ];
    }),
};
