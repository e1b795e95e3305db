import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../../test-support/seeded-random.js';
import { OutageError } from '../../api-server/retry-policy.js';
import { InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import { type Verdict } from '../verifier.js';
import {
  HybridWorld,
  isFor,
  MAX_REVIEW_MS,
  SERVER_CACHE_MS,
  type TokenFacts,
} from './hybrid-world.fixture.js';
import { HybridVerifier } from './hybrid.verifier.js';
import { RevocationChecks, type WhenUnavailable } from './revocation-checks.js';

/** During an outage: how long a token may be accepted before the API server is asked again. */
const MAX_RETRY_MS = 10_000;
const ROUTES = [['a'], ['b'], ['a', 'b'], ['b', 'a']];
const STEPS = 5_000;

interface Use {
  readonly token: TokenFacts;
  readonly audiences: readonly string[];
  /** How old the facts may be that the outcome is based on. 0: the verifier returned synchronously. */
  readonly waitedMs: number;
}

interface RunOptions {
  readonly seed: number;
  readonly periodMs: number;
  readonly whenUnavailable: WhenUnavailable;
}

/** A hybrid verifier in a {@link HybridWorld}. It records what the verifier does against its promises. */
class HybridRun {
  readonly problems: string[] = [];
  /** The number of uses by their outcome. */
  readonly outcomes: Record<string, number> = {};
  readonly world: HybridWorld;
  private readonly random: () => number;
  private readonly verifier: HybridVerifier;
  private readonly waiting: Promise<void>[] = [];

  constructor(private readonly options: RunOptions) {
    this.random = seededRandom(options.seed);
    const world = (this.world = new HybridWorld(this.random));
    const { clock } = world;
    const checks = new RevocationChecks({
      ...{ ...options, clock, random: this.random },
      ask: (token) => world.review(token),
    });
    const verifyLocally = (token: string, audiences: readonly string[]) =>
      world.verifyLocally(token, audiences);
    this.verifier = new HybridVerifier({ verifyLocally, checks, clock });
  }

  async step(): Promise<void> {
    const { world, random, options } = this;
    const what = random();
    if (what < 0.6) this.use(world.pick(world.tokens), world.pick(ROUTES));
    else if (what < 0.9) await this.advance(world.pick([1, 20, 500, 500, options.periodMs / 5]));
    else world.change();
    world.note();
  }

  async close(): Promise<void> {
    this.verifier.close();
    await this.advance(MAX_REVIEW_MS);
    await Promise.all(this.waiting);
  }

  private async advance(ms: number): Promise<void> {
    // First whatever needs no time, or it would happen at the later time.
    await this.world.clock.advance(0);
    await this.world.clock.advance(ms);
  }

  private use(token: TokenFacts, audiences: readonly string[]): void {
    const now = { token, audiences, waitedMs: 0 };
    const late = { ...now, waitedMs: MAX_REVIEW_MS };
    try {
      const result = this.verifier.verify(token.text, audiences);
      if (!(result instanceof Promise)) return this.accepted(now, result);
      this.waiting.push(
        result.then(
          (verdict) => this.accepted(late, verdict),
          (error: unknown) => this.refused(late, error),
        ),
      );
    } catch (error) {
      this.refused(now, error);
    }
  }

  private accepted({ token, audiences, waitedMs }: Use, { principal }: Verdict): void {
    const nowMs = this.world.clock.monotonicMs();
    const { periodMs, whenUnavailable } = this.options;
    this.count(waitedMs === 0 ? 'accepted from memory' : 'accepted after waiting');
    const isOwn = principal.serviceAccount === token.name && principal.audiences.join() === audiences.join();
    this.require(isOwn && isFor(token, audiences), `${token.name} got the verdict of another token or route`);
    const isValid = this.world.isValid(token) || nowMs - token.validAtMs <= waitedMs;
    this.require(isValid, `${token.name} was accepted after it expired, or its key was dropped`);
    this.require(!token.isRejected, `${token.name} was accepted after the API server had rejected it`);
    const answerEndsMs = token.revokedAtMs + SERVER_CACHE_MS + Math.max(periodMs, waitedMs);
    const outageEndsMs = this.world.outageEndedMs + MAX_RETRY_MS + waitedMs;
    const endMs = whenUnavailable === 'refuse' ? answerEndsMs : Math.max(answerEndsMs, outageEndsMs);
    this.require(
      nowMs <= endMs,
      `${token.name} was accepted ${nowMs - endMs} ms too long after its revocation`,
    );
  }

  private refused({ token, audiences, waitedMs }: Use, error: unknown): void {
    if (error instanceof InvalidTokenError) {
      this.count(error.reason);
      const isWrong =
        error.reason === 'REJECTED' ? token.isRejected : !isFor(token, audiences) || waitedMs > 0;
      this.require(isWrong || !this.world.isValid(token), `${token.name} was refused: ${error.message}`);
    } else if (error instanceof VerifierUnavailableError) {
      this.count('UNAVAILABLE');
      const isExcused = this.options.whenUnavailable === 'refuse' || !(error instanceof OutageError);
      this.require(isExcused, `${token.name} was refused during an outage`);
    } else {
      this.problems.push(String(error));
    }
  }

  private count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
  }

  private require(isMet: boolean, problem: string): void {
    if (!isMet) this.problems.push(problem);
  }
}

describe.each(['refuse', 'accept-until-expiry'] as const)(
  'hybrid with whenUnavailable %s',
  (whenUnavailable) => {
    it.each([
      { seed: 1, periodMs: 1_000 },
      { seed: 2, periodMs: 1_000 },
      { seed: 3, periodMs: 20_000 },
      { seed: 4, periodMs: 20_000 },
      { seed: 5, periodMs: 60_000 },
      { seed: 6, periodMs: 60_000 },
    ])('keeps its promises about revoked tokens, whatever happens (%o)', async (options) => {
      const run = new HybridRun({ whenUnavailable, ...options });
      for (let step = 0; step < STEPS && run.problems.length === 0; step++) await run.step();
      await run.close();
      expect(run.problems).toEqual([]);
      expect(run.world.wasReviewedTwiceAtOnce).toBe(false);
      expect(run.world.clock.pendingTimers).toBe(0);
      const common = ['accepted from memory', 'accepted after waiting', 'AUDIENCE', 'REJECTED', 'SIGNATURE'];
      expect(Object.keys(run.outcomes)).toEqual(expect.arrayContaining([...common, 'UNAVAILABLE']));
    });
  },
);
