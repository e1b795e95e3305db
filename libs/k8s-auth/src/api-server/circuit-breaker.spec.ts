import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { VerifierUnavailableError } from '../errors.js';
import { type Deadline, within } from '../util/timers.js';
import { NoAnswerError } from './retry-policy.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { CapturedLog, outcome } from './own-cluster.fixture.js';

const TIMEOUT_MS = 5_000;
const UNREACHABLE = { message: 'API server is unreachable', retryAfterMs: 1_000 };

let clock: FakeClock;
let log: CapturedLog;
let breaker: CircuitBreaker;
/** When each probe began, how many are under way, and how long each may take. */
let probes: { atMs: number; timeoutMs: number }[];
let probing: number;
let maxProbing: number;
let probe: (deadline: Deadline) => Promise<unknown>;

beforeEach(() => {
  clock = new FakeClock();
  log = new CapturedLog();
  probes = [];
  probing = maxProbing = 0;
  probe = hang;
  breaker = new CircuitBreaker({
    clock,
    log,
    timeoutMs: TIMEOUT_MS,
    async probe(deadline) {
      probes.push({ atMs: clock.monotonicMs(), timeoutMs: deadline.timeoutMs });
      maxProbing = Math.max(maxProbing, ++probing);
      await probe(deadline).finally(() => probing--);
    },
  });
});

afterEach(() => breaker.stop());

const noAnswer = () => new NoAnswerError('no answer of the API server');
/** As the client: silent until the deadline. */
const hang = (deadline: Deadline) => within(deadline.signal, new Promise<never>(() => {}), noAnswer);
const refuse = () => Promise.reject(noAnswer());
const respond = () => {
  breaker.noteAnswer();
  return Promise.resolve('answer');
};

/** As the client of TokenReviews. */
async function run<Value>(call: (deadline: Deadline) => Promise<Value>): Promise<Value> {
  const permitted = breaker.enter();
  let value: Value;
  try {
    value = await call(permitted.deadline);
  } catch (error) {
    breaker.leave(permitted, error);
    throw error;
  }
  breaker.leave(permitted);
  return value;
}

async function after(delayMs: number, deadline: Deadline, then: () => Promise<unknown>): Promise<unknown> {
  await within(deadline.signal, new Promise<void>((resolve) => clock.schedule(delayMs, resolve)), noAnswer);
  return then();
}

/** Opens it by a call that waits in vain. */
async function open(): Promise<void> {
  const failed = outcome(run(hang));
  await clock.advance(TIMEOUT_MS);
  expect(await failed).toBeInstanceOf(NoAnswerError);
}

const isRefused = async () => {
  const error = await outcome(run(respond));
  return error instanceof VerifierUnavailableError && error.message === UNREACHABLE.message;
};

describe('a circuit breaker opens', () => {
  it('after the first call that has waited in vain, and then refuses at once, saying why and when to come back', async () => {
    await open();
    const sinceMs = clock.monotonicMs();
    expect(await outcome(run(respond))).toMatchObject({
      ...UNREACHABLE,
      cause: { message: 'no answer of the API server' },
    });
    expect(clock.monotonicMs()).toBe(sinceMs);
    expect(log.messages('warn')).toEqual([expect.stringContaining('API server is unreachable')]);
  });

  it('for the calls under way, too', async () => {
    const first = outcome(run(hang));
    await clock.advance(1_000);
    const others = Array.from({ length: 3 }, () => outcome(run(hang)));
    await clock.advance(4_000);
    expect(await first).toBeInstanceOf(NoAnswerError);
    for (const other of others) expect(await other).toMatchObject(UNREACHABLE);
  });

  it('after a call whose tries all failed', async () => {
    const failed = outcome(run((deadline) => after(500, deadline, refuse)));
    await clock.advance(500);
    await failed;
    expect(await isRefused()).toBe(true);
  });
});

describe('a circuit breaker stays closed', () => {
  it('after a failure that comes at once, because nobody waits for it', async () => {
    await outcome(run(refuse));
    expect(await isRefused()).toBe(false);
  });

  it('after a failure of another kind', async () => {
    const overload = () => Promise.reject(new VerifierUnavailableError('overload'));
    const failed = outcome(run((deadline) => after(4_000, deadline, overload)));
    await clock.advance(4_000);
    expect(await failed).toMatchObject({ message: 'overload' });
    await expect(run(respond)).resolves.toBe('answer');
  });

  it('while the API server is slow, but answers somebody', async () => {
    const queue = Array.from({ length: 20 }, (_, n) =>
      outcome(run((deadline) => after(n < 16 ? 4_000 : 8_000, deadline, respond))),
    );
    await clock.advance(TIMEOUT_MS);
    const outcomes = await Promise.all(queue);
    expect(outcomes.filter((one) => one === 'answer')).toHaveLength(16);
    expect(outcomes.at(-1)).toBeInstanceOf(NoAnswerError);
    expect(await isRefused()).toBe(false);
    expect(probes).toEqual([]);
  });
});

describe('the probes of an open circuit breaker', () => {
  it('follow each other every half second, one at a time, whether they hang or fail', async () => {
    await open();
    await clock.advance(1_000);
    probe = refuse;
    await clock.advance(1_000);
    const sinceMs = TIMEOUT_MS;
    expect(probes.map(({ atMs }) => atMs - sinceMs)).toEqual([0, 500, 1_000, 1_500, 2_000]);
    expect(maxProbing).toBe(1);
    expect(new Set(probes.map(({ timeoutMs }) => timeoutMs))).toEqual(new Set([500]));
  });

  it.each([
    ['hung', hang],
    ['was refused', refuse],
  ])('close it within half a second of the return of an API server that %s', async (_, before) => {
    probe = before;
    await open();
    await clock.advance(10_250);
    probe = respond;
    await clock.advance(249);
    expect(await isRefused()).toBe(true);
    await clock.advance(1);
    await expect(run(respond)).resolves.toBe('answer');
    expect(log.events.at(-1)).toMatchObject({ level: 'log', outageMs: 10_500 });
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('are joined by a patient one when the API server has answered something else', async () => {
    probe = (deadline) => after(4_000, deadline, respond);
    await open();
    await clock.advance(1_000);
    breaker.noteReachable();
    breaker.noteReachable();
    await clock.advance(3_999);
    expect(await isRefused()).toBe(true);
    expect(probes.filter(({ timeoutMs }) => timeoutMs === TIMEOUT_MS)).toHaveLength(1);
    await clock.advance(1);
    expect(await isRefused()).toBe(false);
  });

  it('are joined by a patient one when a probe has reached the API server, in vain', async () => {
    const silent = () => new NoAnswerError('no answer', { wasReached: true });
    await open();
    probe = (deadline) => within(deadline.signal, new Promise<never>(() => {}), silent);
    await clock.advance(10_000);
    // Two of them, each for as long as a call has; the other probes go on meanwhile.
    expect(probes.filter(({ timeoutMs }) => timeoutMs === TIMEOUT_MS)).toHaveLength(2);
    expect(probes.filter(({ timeoutMs }) => timeoutMs < TIMEOUT_MS).length).toBeGreaterThanOrEqual(20);
    expect(maxProbing).toBe(2);
    breaker.stop();
    await clock.advance(0);
    expect([probing, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('are none without an outage', () => {
    breaker.noteReachable();
    expect(probes).toEqual([]);
  });

  it('begin again with the next outage', async () => {
    await open();
    breaker.noteAnswer();
    await clock.advance(10_000);
    probes = [];
    await open();
    expect(await isRefused()).toBe(true);
    expect(probes).toHaveLength(1);
  });

  it('end when it is stopped', async () => {
    await open();
    breaker.stop();
    await clock.advance(0);
    expect([probing, clock.pendingTimers]).toEqual([0, 0]);
  });
});

it('does not open once it is stopped', async () => {
  const failed = outcome(run(hang));
  breaker.stop();
  await clock.advance(TIMEOUT_MS);
  await failed;
  expect([probes.length, clock.pendingTimers]).toEqual([0, 0]);
});
