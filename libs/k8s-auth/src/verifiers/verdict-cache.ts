import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type CallerConnection, OverloadError } from '../api-server/fair-queue.js';
import { InvalidTokenError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { SharedWork } from './shared-work.js';
import { type Verdict, type Verify } from './verifier.js';

// For accepted and for rejected tokens each. A digest and a principal take about 1.5 KB, so both stores together use less
// than 20 MiB.
const MAX_ENTRIES = 5_000;

export interface VerdictCacheOptions {
  readonly clock: Clock;
  /** How long an accepted token is not verified again, milliseconds. With 0, it is verified each time. */
  readonly successLifetimeMs: number;
  /** How long a rejected token is not verified again, milliseconds. With 0, it is verified each time. */
  readonly rejectionLifetimeMs: number;
  /** Whether a refusal waits before it is told; omitted: none does. */
  readonly brake?: { hold(error: unknown): Promise<void> | undefined };
}

interface CacheEntry<Value> {
  readonly value: Value;
  /** Monotonic clock. */
  readonly untilMs: number;
}

/**
 * The stored part of a rejection. The error itself is not stored, because it holds its stack and everything the stack
 * refers to. @internal
 */
export type Rejection = Pick<InvalidTokenError, 'reason' | 'message'>;

/** @internal */
export function toRejection({ reason, message }: Rejection): Rejection {
  return { reason, message };
}

/** A new error for each caller. @internal */
export function toInvalidTokenError({ reason, message }: Rejection): InvalidTokenError {
  return new InvalidTokenError(reason, message);
}

/**
 * Caches the verdicts of another verification. A hit is returned synchronously.
 *
 * - The key is an HMAC-SHA-256 of the token and the audiences, each prefixed with its length, under a random key of this
 *   cache. No token text is kept, nobody outside can make two keys collide, and a verdict for one audience is not used
 *   for another. kube-apiserver's token cache does the same.
 * - The lifetime of an accepted verdict starts when the verification starts, because the token may have been revoked
 *   right after that, however late the answer comes. It uses the monotonic clock. The verdict also ends at its
 *   `validUntilMs` on the wall clock. A wall clock that jumps back does not extend it.
 * - Concurrent calls with the same key share one verification, even if both lifetimes are 0.
 * - Rejections have a separate store, so that rejected tokens cannot evict accepted ones. Rejections that are thrown
 *   synchronously are not cached, because they cost no more than a lookup. EXPIRED and NOT_YET_VALID are not cached,
 *   because they change with time. Failures are never cached, because they say nothing about the token.
 * @internal
 */
export class VerdictCache {
  readonly #secret = randomBytes(32);
  private readonly accepted = new LRUCache<string, CacheEntry<Verdict>>({ max: MAX_ENTRIES });
  private readonly rejected = new LRUCache<string, CacheEntry<Rejection>>({ max: MAX_ENTRIES });
  private readonly running = new SharedWork<Verdict>();

  constructor(
    private readonly uncached: Verify,
    private readonly options: VerdictCacheOptions,
  ) {}

  readonly verify: Verify = (token, audiences, connection) => {
    const key = this.keyOf(token, audiences);
    const verdict = this.recall(this.accepted, key);
    if (verdict && this.options.clock.wallMs() < verdict.validUntilMs) return verdict;
    const rejection = this.recall(this.rejected, key);
    if (rejection) return this.refuse(toInvalidTokenError(rejection));
    // Each caller is refused on its own: a late refusal must not be shared by callers that come in the meantime.
    return this.running
      .run(key, connection, (callers) => this.verifyAndKeep(key, token, audiences, callers))
      .catch((error: unknown) => this.refuse(error));
  };

  clear(): void {
    this.accepted.clear();
    this.rejected.clear();
  }

  private async verifyAndKeep(
    key: string,
    token: string,
    audiences: readonly string[],
    callers: CallerConnection,
  ): Promise<Verdict> {
    const askedMs = this.options.clock.monotonicMs();
    const pending = this.uncached(token, audiences, callers);
    try {
      const verdict = await pending;
      this.keepVerdict(key, verdict, askedMs);
      return verdict;
    } catch (error) {
      if (error instanceof InvalidTokenError) this.keepRejection(key, error);
      throw error;
    }
  }

  /** @throws the error, sooner or later */
  private refuse(error: unknown): Promise<never> {
    const held = this.options.brake?.hold(error);
    if (!held) throw error;
    return held.then(() => {
      throw error;
    });
  }

  private keepVerdict(key: string, verdict: Verdict, askedMs: number): void {
    const { clock, successLifetimeMs } = this.options;
    const ageMs = clock.monotonicMs() - askedMs;
    const lifetimeMs = Math.min(successLifetimeMs - ageMs, verdict.validUntilMs - clock.wallMs());
    this.keep(this.accepted, key, verdict, lifetimeMs);
  }

  private keepRejection(key: string, error: InvalidTokenError): void {
    if (error.reason === 'EXPIRED' || error.reason === 'NOT_YET_VALID') return;
    this.keep(this.rejected, key, toRejection(error), this.options.rejectionLifetimeMs);
  }

  private keep<Value>(
    store: LRUCache<string, CacheEntry<Value>>,
    key: string,
    value: Value,
    lifetimeMs: number,
  ): void {
    if (lifetimeMs > 0) store.set(key, { value, untilMs: this.options.clock.monotonicMs() + lifetimeMs });
  }

  private recall<Value>(store: LRUCache<string, CacheEntry<Value>>, key: string): Value | undefined {
    const entry = store.get(key);
    if (!entry) return undefined;
    if (this.options.clock.monotonicMs() < entry.untilMs) return entry.value;
    store.delete(key);
    return undefined;
  }

  private keyOf(token: string, audiences: readonly string[]): string {
    const text = [token, ...audiences].map((part) => `${part.length}:${part}`).join('');
    return createHmac('sha256', this.#secret).update(text).digest('base64');
  }
}

// More than callers with a wrong configuration send, and few enough to leave most of a core for the other callers.
const MAX_REFUSALS_PER_SECOND = 100;
const MIN_HOLD_MS = 1_000;
const MAX_HOLD_MS = 2_000;
const MAX_HELD = 2_000;

/**
 * Prevents a flood of refused tokens from taking all processor time. A client that waits for each response before it sends
 * the next token is slowed down by late responses. Accepted tokens never wait for it.
 *
 * The first 100 refusals in a second are sent at once. Later ones are sent after 1 to 2 s, at random times, so that they are
 * not sent together. At most 2,000 refusals wait; the others are sent at once. This applies to rejected tokens and to
 * an overloaded queue. It does not apply to rejections before any asynchronous work (malformed, expired, for another
 * audience), nor to the 503 while the API server is unreachable.
 * @internal
 */
export class RefusalBrake {
  private left = MAX_REFUSALS_PER_SECOND;
  private countedMs: number;
  private held = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number = Math.random,
  ) {
    this.countedMs = clock.monotonicMs();
  }

  /** @returns `undefined` for what is told at once */
  hold(error: unknown): Promise<void> | undefined {
    if (!(error instanceof InvalidTokenError || error instanceof OverloadError)) return undefined;
    const nowMs = this.clock.monotonicMs();
    const gained = ((nowMs - this.countedMs) / 1000) * MAX_REFUSALS_PER_SECOND;
    this.left = Math.min(MAX_REFUSALS_PER_SECOND, this.left + gained);
    this.countedMs = nowMs;
    if (this.left >= 1) {
      this.left--;
      return undefined;
    }
    if (this.held >= MAX_HELD) return undefined;
    this.held++;
    const holdMs = MIN_HOLD_MS + this.random() * (MAX_HOLD_MS - MIN_HOLD_MS);
    return new Promise((resolve) =>
      this.clock.schedule(holdMs, () => {
        this.held--;
        resolve();
      }),
    );
  }
}
