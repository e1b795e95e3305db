import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { VerifierUnavailableError } from '../errors.js';
import { type Deadline, settleUnlessAborted } from '../util/timers.js';
import { NoAnswerError } from './retry-policy.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { CapturedLog, outcome } from './own-cluster.fixture.js';

const TIMEOUT_MS = 5_000;
const UNREACHABLE = { message: 'API server is unreachable', retryAfterMs: 1_000 };

let clock: FakeClock;
let log: CapturedLog;
let breaker: CircuitBreaker;
/** The start and the timeout of each probe, and how many probes are running. */
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
/** Like the client when the API server hangs: no answer until the deadline. */
const hang = (deadline: Deadline) =>
  settleUnlessAborted(deadline.signal, new Promise<never>(() => {}), noAnswer);
const refuse = () => Promise.reject(noAnswer());
const respond = () => {
  breaker.noteAnswer();
  return Promise.resolve('answer');
};

/** Uses the breaker like TokenReviewClient does. */
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
  await settleUnlessAborted(
    deadline.signal,
    new Promise<void>((resolve) => clock.schedule(delayMs, resolve)),
    noAnswer,
  );
  return then();
}

/** Opens the breaker with a call that times out. */
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
  it('after the first call that timed out, and then refuses calls immediately with the reason and Retry-After', async () => {
    await open();
    const sinceMs = clock.monotonicMs();
    expect(await outcome(run(respond))).toMatchObject({
      ...UNREACHABLE,
      cause: { message: 'no answer of the API server' },
    });
    expect(clock.monotonicMs()).toBe(sinceMs);
    expect(log.messages('warn')).toEqual([expect.stringContaining('API server is unreachable')]);
  });

  it('also for running calls', async () => {
    const first = outcome(run(hang));
    await clock.advance(1_000);
    const others = Array.from({ length: 3 }, () => outcome(run(hang)));
    await clock.advance(4_000);
    expect(await first).toBeInstanceOf(NoAnswerError);
    for (const other of others) expect(await other).toMatchObject(UNREACHABLE);
  });

  it('after a call whose tries all failed, with waits between them', async () => {
    const failed = outcome(run((deadline) => after(500, deadline, refuse)));
    await clock.advance(500);
    await failed;
    expect(await isRefused()).toBe(true);
  });
});

describe('a circuit breaker stays closed', () => {
  it('after an immediate failure, because no call waits for it', async () => {
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

  it('while the API server is slow, but answers some calls', async () => {
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
  it('start every 500 ms, one at a time, whether they hang or fail', async () => {
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
    ['refused connections', refuse],
  ])('close it within 500 ms after the recovery of an API server that %s', async (_, before) => {
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

  it('are joined by one with the timeout of a call after the API server answered another request', async () => {
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

  it('are joined by one with the timeout of a call after a probe connected but got no answer', async () => {
    const silent = () => new NoAnswerError('no answer', { wasReached: true });
    await open();
    probe = (deadline) => settleUnlessAborted(deadline.signal, new Promise<never>(() => {}), silent);
    await clock.advance(10_000);
    // Two long probes, each with the timeout of a call; the short probes continue in the meantime.
    expect(probes.filter(({ timeoutMs }) => timeoutMs === TIMEOUT_MS)).toHaveLength(2);
    expect(probes.filter(({ timeoutMs }) => timeoutMs < TIMEOUT_MS).length).toBeGreaterThanOrEqual(20);
    expect(maxProbing).toBe(2);
    breaker.stop();
    await clock.advance(0);
    expect([probing, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('do not run without an outage', () => {
    breaker.noteReachable();
    expect(probes).toEqual([]);
  });

  it('start again at the next outage', async () => {
    await open();
    breaker.noteAnswer();
    await clock.advance(10_000);
    probes = [];
    await open();
    expect(await isRefused()).toBe(true);
    expect(probes).toHaveLength(1);
  });

  it('end when the circuit breaker is stopped', async () => {
    await open();
    breaker.stop();
    await clock.advance(0);
    expect([probing, clock.pendingTimers]).toEqual([0, 0]);
  });
});

it('a circuit breaker does not open after it is stopped', async () => {
  const failed = outcome(run(hang));
  breaker.stop();
  await clock.advance(TIMEOUT_MS);
  await failed;
  expect([probes.length, clock.pendingTimers]).toEqual([0, 0]);
});
