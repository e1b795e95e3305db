import { type Figure, type Measurement } from '../figure.js';
import { type PeerName } from '../servers/peers.js';
import { bearer } from '../support/cluster.js';
import { Rounds } from '../support/rounds.js';
import { measureServer } from '../support/server.js';
import { inSession } from '../support/session.js';
import { CONNECTIONS, Fleet, TOKENS_IN_ROTATION } from './fleet.js';

const SLICE_MS = 500;
// A guard that sends a review for each request answers few requests in a short slice.
const REVIEWING_SLICE_MS = 2_000;
const MAX_ROUNDS = 3;
// The warm-up of the other figures counts requests, which takes too long for such a guard.
const WARM_UP_SLICES = 3;

/** The verifier of ours that does the same checks in the same place. */
const COUNTERPARTS = {
  'nest-jose': 'oidc-discovery',
  'nest-passport-jwt': 'oidc-discovery',
  'nest-client-node': 'tokenreview',
  'go-sidecar': 'tokenreview',
} as const satisfies Partial<Record<PeerName, string>>;

const PEERS = Object.keys(COUNTERPARTS) as (keyof typeof COUNTERPARTS)[];

const NAMES: Readonly<Record<keyof typeof COUNTERPARTS, string>> = {
  'nest-jose': 'a Nest guard with jose, which verifies each request',
  'nest-passport-jwt': 'passport-jwt with jwks-rsa, which verifies each request',
  'nest-client-node': 'a Nest guard with client-node, which sends a TokenReview for each request',
  'go-sidecar': 'the least that a Go sidecar does (delegating authenticator, reverse proxy, no TLS)',
};

/** For people: what the usual ways to write such a guard cost beside ours. No limits, because they are not ours. */
export const popular: Measurement = {
  id: 'popular',
  title: 'popular: CPU per request of guards as most people write them, 200 tokens in rotation',
  isInShort: false,
  run: (context) =>
    inSession(context, async (session) => {
      const nest = ['none', 'oidc-discovery', 'tokenreview'] as const;
      const fleet = await Fleet.start(context, session, { nest, peers: PEERS });
      const authorizations = (await session.cluster.mint(TOKENS_IN_ROTATION)).map(bearer);
      const measure = (name: string) =>
        measureServer(fleet.server(name), session.load, {
          connections: CONNECTIONS,
          authorizations,
          limit: { durationMs: name === 'nest-client-node' ? REVIEWING_SLICE_MS : SLICE_MS },
        });
      for (let slice = 0; slice < WARM_UP_SLICES; slice++) {
        for (const name of fleet.names) await measure(name);
      }
      const count = Math.min(context.rounds, MAX_ROUNDS);
      const rounds = await Rounds.run(fleet.names, measure, { ...context, rounds: count, reference: 'none' });
      return PEERS.flatMap((peer) => figuresOf(fleet, rounds, peer));
    }),
};

function figuresOf(fleet: Fleet, rounds: Rounds, peer: keyof typeof COUNTERPARTS): Figure[] {
  const ours = COUNTERPARTS[peer];
  // A sidecar is a process of its own: all of its CPU is added.
  const added = (cpuUs: (name: string) => number) =>
    peer === 'go-sidecar' ? cpuUs(peer) : cpuUs(peer) - cpuUs('none');
  return [
    fleet.figure(
      rounds,
      { id: `popular.cpu.${peer}`, name: `added CPU per request, ${NAMES[peer]}`, unit: 'us' },
      [peer],
      added,
    ),
    fleet.figure(
      rounds,
      { id: `popular.of-ours.${peer}`, name: `the same / CPU added by warm ${ours}`, unit: 'ratio' },
      [peer],
      (cpuUs) => added(cpuUs) / (cpuUs(ours) - cpuUs('none')),
    ),
  ];
}
