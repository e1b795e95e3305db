import { createHash } from 'node:crypto';
import { seededRandom } from '../../../libs/k8s-auth/test-support/seeded-random.js';
import { verdictFor } from '../../../libs/k8s-auth/test-support/scripted-verifier.js';
import { FakeClock } from '../../../libs/k8s-auth/testing/fake-clock.js';
import { RevocationChecks } from '../../../libs/k8s-auth/src/verifiers/hybrid/revocation-checks.js';
import { VerdictCache } from '../../../libs/k8s-auth/src/verifiers/verdict-cache.js';
import { type CallerLoad, REVOCATION_CHECK_SECONDS, SUCCESS_LIFETIME_SECONDS } from './review-load.js';

/** Requests within a tick arrive at the same instant. Far less than the time between two uses of a token at one replica. */
const TICK_MS = 100;

/** `random`: a Poisson process, to random replicas. `regular`: in the same order again and again, to each replica in turn. */
export type Arrival = 'random' | 'regular';

export interface Simulation extends CallerLoad {
  readonly verifier: 'tokenreview' | 'hybrid';
  readonly arrival: Arrival;
  /** Not counted: until the caches are filled. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** One replica: the cache of the library, around a review that only counts. */
interface Replica {
  use(token: string): unknown;
  close(): void;
}

/** @returns the reviews, and the requests, per second of the fake clock, of all replicas together */
export async function simulate(
  simulation: Simulation,
): Promise<{ reviewsPerSecond: number; requestsPerSecond: number }> {
  const { verifier, replicas: count, warmUpSeconds, seconds } = simulation;
  const clock = new FakeClock();
  let reviews = 0;
  let requests = 0;
  const review = () => {
    reviews++;
    return Promise.resolve();
  };
  const create = verifier === 'tokenreview' ? tokenreviewReplica : hybridReplica;
  const replicas = Array.from({ length: count }, () => create(clock, review));
  const arrivals = simulation.arrival === 'random' ? randomArrivals(simulation) : regularArrivals(simulation);
  for (let ms = 0; ms < (warmUpSeconds + seconds) * 1000; ms += TICK_MS) {
    if (ms === warmUpSeconds * 1000) reviews = requests = 0;
    for (const { caller, replica } of arrivals()) {
      requests++;
      void replicas[replica]?.use(tokenOf(caller, ms, simulation));
    }
    await clock.advance(TICK_MS);
  }
  for (const replica of replicas) replica.close();
  return { reviewsPerSecond: reviews / seconds, requestsPerSecond: requests / seconds };
}

function tokenreviewReplica(clock: FakeClock, review: () => Promise<void>): Replica {
  const verdict = verdictFor('shop/checkout');
  const lifetimes = { successLifetimeMs: SUCCESS_LIFETIME_SECONDS * 1000, rejectionLifetimeMs: 0 };
  const cache = new VerdictCache(() => review().then(() => verdict), { clock, ...lifetimes });
  return { use: (token) => cache.verify(token, ['orders']), close: () => cache.clear() };
}

function hybridReplica(clock: FakeClock, review: () => Promise<void>): Replica {
  const periodMs = REVOCATION_CHECK_SECONDS * 1000;
  const checks = new RevocationChecks({ ask: review, clock, periodMs, whenUnavailable: 'refuse' });
  const verdict = verdictFor('shop/checkout');
  return {
    use: (token) => checks.check(token, verdict, undefined),
    close: () => checks.close(),
  };
}

/** Callers get their new tokens at different times. Every part of a token differs from those of all other tokens. */
function tokenOf(caller: number, ms: number, { rotationSeconds, callers }: Simulation): string {
  const generation = Math.floor(ms / 1000 / rotationSeconds + caller / callers);
  const name = Buffer.from(`caller ${caller}, token ${generation} `.padEnd(64, '.')).toString('base64url');
  return `e30.${name}.${createHash('sha256').update(name).digest('base64url')}`;
}

interface Use {
  readonly caller: number;
  readonly replica: number;
}

function randomArrivals({ callers, replicas, requestsPerSecond }: Simulation): () => Use[] {
  const random = seededRandom(1);
  const perTick = (callers * requestsPerSecond * TICK_MS) / 1000;
  let nextTicks = 0;
  return () => {
    const uses: Use[] = [];
    for (; nextTicks < 1; nextTicks -= Math.log(1 - random()) / perTick) {
      uses.push({ caller: Math.floor(random() * callers), replica: Math.floor(random() * replicas) });
    }
    nextTicks -= 1;
    return uses;
  };
}

function regularArrivals({ callers, replicas, requestsPerSecond }: Simulation): () => Use[] {
  const perTick = (callers * requestsPerSecond * TICK_MS) / 1000;
  let due = 0;
  let next = 0;
  return () => {
    const uses: Use[] = [];
    for (due += perTick; due >= 1; due--, next++) {
      const replica = Math.floor(next / callers) % replicas;
      uses.push({ caller: next % callers, replica });
    }
    return uses;
  };
}
