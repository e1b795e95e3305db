import { createTestPrincipal, FakeClock } from '../../../testing/index.js';
import { OverloadError } from '../../api-server/fair-queue.js';
import { OutageError } from '../../api-server/retry-policy.js';
import { InvalidTokenError } from '../../errors.js';
import { sleep } from '../../util/timers.js';
import { type Verdict } from '../verifier.js';

/** How long kube-apiserver may cache that it accepted a token. */
export const SERVER_CACHE_MS = 10_000;
/** A review waits twice for one of these. */
const WAITS_MS = [0, 5, 200, 2_400, 2_400];
export const MAX_REVIEW_MS = 2 * Math.max(...WAITS_MS);
const TOKENS = 6;

/** What is true about a token, whatever a verifier remembers. Times are of the monotonic clock, except `expiresAtMs`. */
export interface TokenFacts {
  readonly text: string;
  readonly name: string;
  readonly audiences: readonly string[];
  readonly key: string;
  readonly expiresAtMs: number;
  revokedAtMs: number;
  /** When the API server last examined and accepted it. */
  acceptedAtMs: number;
  /** The last time at which its key was trusted and it had not expired. */
  validAtMs: number;
  isBeingReviewed: boolean;
  /** Whether an answer of the API server has rejected it. */
  isRejected: boolean;
}

/**
 * Tokens, keys and an API server. At random, tokens are revoked, keys are dropped, the wall clock jumps, and the API server
 * is slow, overloaded or unreachable.
 */
export class HybridWorld {
  readonly clock = new FakeClock();
  readonly tokens: TokenFacts[] = [];
  /** When the API server was last unreachable, monotonic clock. */
  outageEndedMs = -Infinity;
  wasReviewedTwiceAtOnce = false;
  private readonly known = new Map<string, TokenFacts>();
  private key = 'key 0';
  private fault: 'none' | 'outage' | 'overload' = 'none';

  /** @param random from 0 to 1 */
  constructor(private readonly random: () => number) {
    for (let n = 0; n < TOKENS; n++) this.tokens.push(this.createToken());
  }

  change(): void {
    const { clock } = this;
    const what = this.pick(['revoke', 'revoke', 'replace', 'replace', 'key', 'wall clock', 'fault', 'fault']);
    if (what === 'revoke') {
      const token = this.pick(this.tokens);
      token.revokedAtMs = Math.min(token.revokedAtMs, clock.monotonicMs());
    }
    if (what === 'replace') this.replaceTokens();
    if (what === 'key' && this.random() < 0.2) this.key = `key ${this.known.size}`;
    if (what === 'wall clock') clock.jumpWall(this.pick([-60_000, -1_000, 1_000, 60_000]));
    if (what === 'fault') this.fault = this.pick(['none', 'none', 'none', 'outage', 'overload']);
  }

  /** To be called after each change and each step of the clock. */
  note(): void {
    const nowMs = this.clock.monotonicMs();
    for (const token of this.tokens) if (this.isValid(token)) token.validAtMs = nowMs;
    if (this.fault === 'outage') this.outageEndedMs = nowMs;
  }

  isValid(token: TokenFacts): boolean {
    return token.key === this.key && this.clock.wallMs() < token.expiresAtMs;
  }

  verifyLocally(text: string, audiences: readonly string[]): Verdict | Promise<Verdict> {
    const token = this.factsOf(text);
    if (!this.isValid(token)) throw new InvalidTokenError('SIGNATURE', 'expired, or signed with another key');
    if (!isFor(token, audiences)) throw new InvalidTokenError('AUDIENCE', 'for another audience');
    const verdict = {
      principal: createTestPrincipal({ serviceAccount: token.name, audiences }),
      validUntilMs: token.expiresAtMs,
      isCurrent: () => token.key === this.key,
    };
    return this.random() < 0.5 ? verdict : Promise.resolve(verdict);
  }

  async review(text: string): Promise<void> {
    const token = this.factsOf(text);
    this.wasReviewedTwiceAtOnce ||= token.isBeingReviewed;
    token.isBeingReviewed = true;
    try {
      if (this.fault === 'overload') throw new OverloadError('overload');
      await this.wait();
      const early = this.fault === 'outage' ? undefined : this.examine(token);
      await this.wait();
      this.failIfUnreachable();
      token.isRejected = !(early ?? this.examine(token));
      if (token.isRejected) throw new InvalidTokenError('REJECTED', 'not authenticated');
    } finally {
      token.isBeingReviewed = false;
    }
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.random() * values.length)] as Value;
  }

  private createToken(): TokenFacts {
    const number = this.known.size;
    // Every second token has the same end, so that a `TokenMap` computes the same number from it.
    const text = `${number}.${number % 2 === 0 ? 'the same end' : String(number).padStart(12, '-')}`;
    const created = {
      ...{ text, name: `token-${number}`, audiences: this.pick([['a'], ['a', 'b']]), key: this.key },
      expiresAtMs: this.clock.wallMs() + this.pick([60_000, 600_000, 3_600_000, 3_600_000]),
      ...{ revokedAtMs: Infinity, acceptedAtMs: -Infinity, validAtMs: this.clock.monotonicMs() },
      ...{ isBeingReviewed: false, isRejected: false },
    };
    this.known.set(text, created);
    return created;
  }

  /** One of them, and those that are refused because of their key or their age, or soon no other would be left. */
  private replaceTokens(): void {
    const replaced = this.pick(this.tokens);
    for (const [index, token] of this.tokens.entries())
      if (token === replaced || !this.isValid(token)) this.tokens[index] = this.createToken();
  }

  private factsOf(text: string): TokenFacts {
    const token = this.known.get(text);
    if (!token) throw new Error(`there is no token ${text}`);
    return token;
  }

  private wait(): Promise<void> {
    const ms = this.pick(WAITS_MS);
    return ms === 0 ? Promise.resolve() : sleep(this.clock, ms, new AbortController().signal);
  }

  private failIfUnreachable(): void {
    if (this.fault === 'outage') throw new OutageError('API server is unreachable');
  }

  /** As kube-apiserver does. @returns whether the token is accepted */
  private examine(token: TokenFacts): boolean {
    const nowMs = this.clock.monotonicMs();
    if (nowMs < token.acceptedAtMs + SERVER_CACHE_MS) return true;
    if (nowMs >= token.revokedAtMs) return false;
    token.acceptedAtMs = nowMs;
    return true;
  }
}

export function isFor(token: TokenFacts, audiences: readonly string[]): boolean {
  return audiences.some((audience) => token.audiences.includes(audience));
}
