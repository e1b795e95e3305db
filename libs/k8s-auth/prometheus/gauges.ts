import { Gauge, type Registry } from 'prom-client';
import {
  type DestinationState,
  OWN_TOKEN_PROBLEMS,
  type OwnTokenState,
  type Statistics,
  type VerifierStatistics,
} from '../src/index.js';
import { type Sample } from './counts.js';
import { type Source } from './source.js';

/** What a gauge reads: the state of one module, and the wall clock in milliseconds. */
interface State extends Statistics {
  readonly wallMs: number;
}

interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** No sample means that this module does not have what is measured. */
  readonly read: (state: State) => readonly Sample[];
  /** Combines the values of several modules with the same labels. */
  readonly combine: (...values: number[]) => number;
}

const sum = (...values: number[]) => values.reduce((total, value) => total + value, 0);

function ofVerifier(read: (figures: VerifierStatistics) => number | undefined) {
  return ({ verification }: State) => sampleOf(verification && read(verification));
}

function ofDestinations(read: (destination: DestinationState, wallMs: number) => number | undefined) {
  return ({ destinations, wallMs }: State) =>
    destinations.flatMap((one) => sampleOf(read(one, wallMs), { destination: one.origin }));
}

/** Our own token for the API server belongs to no destination, so its file comes from the self check. */
function ofApiServerToken(read: (token: OwnTokenState) => number | undefined) {
  return ({ selfCheck }: State) =>
    selfCheck.tokens
      .filter(({ destination }) => destination === 'api-server')
      .flatMap((token) => sampleOf(toSeconds(read(token)), { destination: token.destination }));
}

function problemsOf({ selfCheck }: State): Sample[] {
  return selfCheck.tokens.flatMap(({ destination, problems }) =>
    OWN_TOKEN_PROBLEMS.map((reason) => ({
      labels: { destination, reason },
      value: Number(problems.some(({ code }) => code === reason)),
    })),
  );
}

function sampleOf(value: number | undefined, labels: Sample['labels'] = {}): Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}

const toSeconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);

function both(...reads: readonly GaugeDefinition['read'][]): GaugeDefinition['read'] {
  return (state) => reads.flatMap((read) => read(state));
}

const GAUGES: readonly GaugeDefinition[] = [
  {
    name: 'k8s_auth_ready',
    help: 'Whether the service can verify its callers and has tokens for its own calls: 1 if it is ready or degraded, else 0',
    read: ({ readiness }) => sampleOf(readiness.status === 'not-ready' ? 0 : 1),
    combine: Math.min,
  },
  {
    name: 'k8s_auth_api_server_circuit_open',
    help: 'Whether the API server counts as unreachable, so that no review is sent: 1 or 0',
    read: ofVerifier(({ reviews }) => reviews && Number(reviews.isCircuitOpen)),
    combine: Math.max,
  },
  {
    name: 'k8s_auth_token_reviews_in_flight',
    help: 'Reviews that were sent to the API server and have no answer yet',
    read: ofVerifier(({ reviews }) => reviews?.inFlight),
    combine: sum,
  },
  {
    name: 'k8s_auth_token_reviews_waiting',
    help: 'Reviews that wait for a free place',
    read: ofVerifier(({ reviews }) => reviews?.waiting),
    combine: sum,
  },
  {
    name: 'k8s_auth_keys',
    help: 'Public keys that signatures are verified with',
    read: ofVerifier(({ keys }) => keys?.count),
    combine: sum,
  },
  {
    name: 'k8s_auth_keys_age_seconds',
    help: 'Time since the public keys were last fetched',
    read: ofVerifier(({ keys }) => toSeconds(keys?.ageMs)),
    combine: Math.max,
  },
  {
    name: 'k8s_auth_own_token_expires_in_seconds',
    help: 'Time until the own token for a destination expires; negative if it has expired',
    labelNames: ['destination'],
    read: both(
      ofDestinations(({ expiresAtMs }, wallMs) =>
        toSeconds(expiresAtMs === undefined ? undefined : expiresAtMs - wallMs),
      ),
      ofApiServerToken(({ expiresInMs }) => expiresInMs),
    ),
    combine: Math.min,
  },
  {
    name: 'k8s_auth_own_token_file_age_seconds',
    help: 'Time since the file with the own token for a destination was written',
    labelNames: ['destination'],
    read: both(
      ofDestinations(({ fileAgeMs }) => toSeconds(fileAgeMs)),
      ofApiServerToken(({ fileAgeMs }) => fileAgeMs),
    ),
    combine: Math.max,
  },
  {
    name: 'k8s_auth_own_token_degraded',
    help: 'Whether the own token for a destination has a problem that breaks calls later: 1 or 0 for each reason',
    labelNames: ['destination', 'reason'],
    read: problemsOf,
    combine: Math.max,
  },
  {
    name: 'k8s_auth_clock_offset_seconds',
    help: 'How far the own clock is ahead of the clock of the API server; negative if it is behind',
    read: ({ selfCheck }) => sampleOf(toSeconds(selfCheck.clockOffsetMs)),
    combine: (...values) => values.reduce((one, other) => (Math.abs(other) > Math.abs(one) ? other : one)),
  },
];

/** @param sources the modules that are measured, when somebody collects the metrics */
export function registerGauges(registry: Registry, sources: () => readonly Source[]): void {
  for (const { name, help, labelNames = [], read, combine } of GAUGES) {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        // A gauge without labels has the value 0 after a reset, but what was not measured must not be reported.
        if (labelNames.length === 0) this.remove();
        const samples = sources().flatMap(({ statistics, clock }) =>
          read({ ...statistics.current(), wallMs: clock.wallMs() }),
        );
        for (const { labels, values } of groupByLabels(samples)) this.set({ ...labels }, combine(...values));
      },
    });
  }
}

interface SampleGroup {
  readonly labels: Sample['labels'];
  readonly values: number[];
}

function groupByLabels(samples: readonly Sample[]): Iterable<SampleGroup> {
  const groups = new Map<string, SampleGroup>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    const group = groups.get(key) ?? { labels, values: [] };
    group.values.push(value);
    groups.set(key, group);
  }
  return groups.values();
}
