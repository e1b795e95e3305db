import { describe, expect, it } from '@jest/globals';
import { createTestPrincipal, FakeClock } from '../../../testing/index.js';
import { OverloadError } from '../../api-server/fair-queue.js';
import { OwnCredentialRefusedError, OwnCredentialUnreadableError } from '../../api-server/own-credential.js';
import { OutageError } from '../../api-server/retry-policy.js';
import { InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import { sleep } from '../../util/timers.js';
import { RevocationChecks, type RevocationChecksContext } from './revocation-checks.js';

const PERIOD_MS = 60_000;
const never = new AbortController().signal;

const verdictUntil = (validUntilMs: number) => ({ principal: createTestPrincipal(), validUntilMs });

/** An API server that takes its time, by the fake clock. */
function checksOf(
  { reviewMs = 20 } = {},
  { periodMs = PERIOD_MS, whenUnavailable = 'refuse' }: Partial<RevocationChecksContext> = {},
) {
  const clock = new FakeClock();
  const api = { asked: 0, reviewMs, answer: () => {} };
  const ask = async () => {
    api.asked++;
    if (api.reviewMs > 0) await sleep(clock, api.reviewMs, never);
    api.answer();
  };
  const checks = new RevocationChecks({ ask, clock, periodMs, whenUnavailable, random: () => 1 });
  /** @returns whether the caller waited */
  const use = async (token = 'token', endMs = Infinity): Promise<boolean> => {
    const result = checks.check(token, verdictUntil(endMs), undefined);
    if (!(result instanceof Promise)) return false;
    void result.catch(() => {});
    await clock.advance(api.reviewMs);
    await result;
    return true;
  };
  return { clock, checks, api, use };
}

describe('a token that is used continuously', () => {
  it.each([
    { periodMs: 60_000, reviewMs: 20, periods: 50 },
    { periodMs: 60_000, reviewMs: 500, periods: 40 },
    { periodMs: 1_000, reviewMs: 5, periods: 50 },
    { periodMs: 1_000, reviewMs: 50, periods: 12 },
  ])(
    'is reviewed at most $periods + 1 times in $periods periods of $periodMs ms, and waits once',
    async ({ periodMs, reviewMs, periods }) => {
      const { clock, api, use } = checksOf({ reviewMs }, { periodMs });
      const waits = [await use()];
      for (let ms = 0; ms < periods * periodMs; ms += periodMs / 50) {
        await clock.advance(periodMs / 50);
        waits.push(await use());
      }
      expect(waits.filter((hasWaited) => hasWaited)).toEqual([true]);
      expect(api.asked).toBeLessThanOrEqual(periods + 1);
      expect(api.asked).toBeGreaterThanOrEqual(periods);
    },
    60_000,
  );

  it('does not wait for a review when it is used only shortly before the last answer expires', async () => {
    const { clock, use } = checksOf();
    await use();
    await clock.advance(PERIOD_MS - 100);
    expect(await use()).toBe(false);
    await clock.advance(200);
    expect(await use()).toBe(false);
  });

  it('is not reviewed after it has expired', async () => {
    const { clock, api, use } = checksOf();
    const endMs = clock.wallMs() + 30_000;
    await use('token', endMs);
    await use('token', endMs);
    await clock.advance(2 * PERIOD_MS);
    expect(api.asked).toBe(1);
  });
});

it('an answer that arrives after more than one period is used only for the request that waited for it', async () => {
  const { clock, api, use } = checksOf({ reviewMs: 1_500 }, { periodMs: 1_000 });
  await use();
  expect(await use()).toBe(true);
  await clock.advance(10_000);
  expect(api.asked).toBe(2);
});

it('a failed review affects requests only when the last answer has expired', async () => {
  const { clock, api, use } = checksOf();
  await use();
  await use();
  api.answer = () => {
    throw new VerifierUnavailableError('API server is unreachable');
  };
  await clock.advance(PERIOD_MS - 100);
  expect(api.asked).toBe(2);
  expect(await use()).toBe(false);
  expect(api.asked).toBe(2);
  await clock.advance(100);
  await expect(use()).rejects.toThrow('API server is unreachable');
});

it("with 'accept-until-expiry' a token is reviewed every 10 s until there is an answer", async () => {
  const { clock, api, use } = checksOf({}, { whenUnavailable: 'accept-until-expiry' });
  api.answer = () => {
    throw new OutageError('API server is unreachable');
  };
  for (let second = 0; second < 30; second++) {
    await use();
    await clock.advance(1_000);
  }
  expect(api.asked).toBe(3);
});

it.each<[string, Error]>([
  ['an overload', new OverloadError('overload: 256 requests wait for the API server')],
  ['an unreadable own credential', new OwnCredentialUnreadableError('own credential cannot be read')],
  ['a refused own credential', new OwnCredentialRefusedError('API server refuses our own credential (401)')],
  ['a redirect', new VerifierUnavailableError('API server answered with a redirect (302)')],
])(
  "with 'accept-until-expiry' %s does not count as an outage: nothing is accepted or kept",
  async (_, error) => {
    const { api, use } = checksOf({}, { whenUnavailable: 'accept-until-expiry' });
    api.answer = () => {
      throw error;
    };
    await expect(use()).rejects.toBe(error);
    await expect(use()).rejects.toBe(error);
    expect(api.asked).toBe(2);
  },
);

it('remembers a rejected token however many other tokens are used', async () => {
  const { checks, api, use } = checksOf({}, { whenUnavailable: 'accept-until-expiry' });
  api.answer = () => {
    throw new InvalidTokenError('REJECTED', 'not authenticated');
  };
  await expect(use('revoked')).rejects.toThrow('not authenticated');
  api.answer = () => {};
  api.reviewMs = 0;
  for (let n = 0; n < 10_050; n++) await checks.check(`token ${n}`, verdictUntil(Infinity), undefined);
  api.answer = () => {
    throw new InvalidTokenError('REJECTED', 'not authenticated');
  };
  await expect(use('revoked')).rejects.toThrow('not authenticated');
  expect(api.asked).toBe(10_051);
});

it('keeps at most 10,000 tokens, and no timers for dropped ones', async () => {
  const { checks, clock } = checksOf({ reviewMs: 0 });
  const asked: unknown[] = [];
  for (let n = 0; n < 10_050; n++) asked.push(checks.check(`token ${n}`, verdictUntil(Infinity), undefined));
  await Promise.all(asked);
  expect(clock.pendingTimers).toBe(10_000);
  checks.close();
  expect(clock.pendingTimers).toBe(0);
});

it('keeps the answer about a token in use however many other tokens are used', async () => {
  const { checks, api } = checksOf({ reviewMs: 0 });
  const verdict = verdictUntil(Infinity);
  await checks.check('in use', verdict, undefined);
  for (let n = 0; n < 20_000; n++) {
    await checks.check(`token ${n}`, verdictUntil(Infinity), undefined);
    if (n % 5_000 === 0) void checks.check('in use', verdict, undefined);
  }
  expect(checks.check('in use', verdict, undefined)).toBeUndefined();
  expect(api.asked).toBe(20_001);
});

it('keeps nothing of an answer that arrives after close', async () => {
  const { checks, clock, use } = checksOf();
  const used = use();
  checks.close();
  await used;
  expect(clock.pendingTimers).toBe(0);
});

describe('uncheckedUse', () => {
  it('starts with the first use after an answer, and ends when the next review starts', async () => {
    const { checks, clock, api, use } = checksOf({ reviewMs: 20 });
    expect(checks.uncheckedUse('token')).toBeUndefined();
    await use();
    expect(checks.uncheckedUse('token')).toBeUndefined();
    await use();
    const { untilMs = 0 } = checks.uncheckedUse('token') ?? {};
    await clock.advance(untilMs - clock.monotonicMs() - 1);
    expect(api.asked).toBe(1);
    await clock.advance(1);
    expect(api.asked).toBe(2);
  });

  it('is not allowed while a review is running, and after the review only after a use', async () => {
    const { checks, clock, api, use } = checksOf({ reviewMs: 500 });
    await use();
    await use();
    const { untilMs = 0 } = checks.uncheckedUse('token') ?? {};
    await clock.advance(untilMs - clock.monotonicMs());
    expect(api.asked).toBe(2);
    await use();
    expect(checks.uncheckedUse('token')).toBeUndefined();
    await clock.advance(500);
    expect(checks.uncheckedUse('token')).toBeUndefined();
    await use();
    expect(checks.uncheckedUse('token')).toBeDefined();
  });

  it('is not allowed for a rejected token', async () => {
    const { checks, api, use } = checksOf();
    api.answer = () => {
      throw new InvalidTokenError('REJECTED', 'not authenticated');
    };
    await expect(use()).rejects.toThrow('not authenticated');
    await expect(use()).rejects.toThrow('not authenticated');
    expect(checks.uncheckedUse('token')).toBeUndefined();
  });
});
