import { type CallerConnection, OverloadError } from '../api-server/fair-queue.js';
import { InvalidTokenError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { SharedWork } from './shared-work.js';
import { TokenMap } from './token-map.js';
import { type Verdict, type Verify } from './verifier.js';

// For accepted and for rejected tokens each. A token of 1.2 KB and its principal take less than 2.5 KB.
const MAX_TOKENS = 5_000;

export interface VerdictCacheOptions {
  readonly clock: Clock;
  /** How long an accepted token is not verified again, milliseconds. With 0, it is verified each time. @default Infinity */
  readonly successLifetimeMs?: number;
  /** How long a rejected token is not verified again, milliseconds. With 0, it is verified each time. @default 0 */
  readonly rejectionLifetimeMs?: number;
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
 * - A verdict is used only for the same token, compared as a whole, and the same audiences in the same order. Each
 *   verifier has its own cache.
 * - The lifetime of an accepted verdict starts when the verification starts, because the token may have been revoked
 *   right after that, however late the answer comes. It uses the monotonic clock. The verdict also ends at its
 *   `validUntilMs` on the wall clock, and when its `isCurrent` says so. A wall clock that jumps back does not extend it.
 * - Concurrent calls with the same token and audiences share one verification, even if both lifetimes are 0.
 * - Rejections have a separate store, so that rejected tokens cannot evict accepted ones. Rejections that are thrown
 *   synchronously are not cached, because they cost no more than a lookup. EXPIRED and NOT_YET_VALID are not cached,
 *   because they change with time. Failures are never cached, because they say nothing about the token.
 * @internal
 */
export class VerdictCache {
  private readonly accepted = new TokenMap<CacheEntry<Verdict>>({ maxTokens: MAX_TOKENS });
  private readonly rejected = new TokenMap<CacheEntry<Rejection>>({ maxTokens: MAX_TOKENS });
  private readonly running = new SharedWork<Verdict>();
  private readonly clock: Clock;

  constructor(
    private readonly uncached: Verify,
    private readonly options: VerdictCacheOptions,
  ) {
    this.clock = options.clock;
  }

  readonly verify: Verify = (token, audiences, connection) => {
    const scope = scopeOf(audiences);
    const verdict = this.recall(this.accepted, token, scope);
    if (verdict && this.clock.wallMs() < verdict.validUntilMs && (verdict.isCurrent?.() ?? true))
      return verdict;
    const rejection = this.recall(this.rejected, token, scope);
    if (rejection) return this.refuse(toInvalidTokenError(rejection));
    const result = this.running.run(`${scope.length}:${scope}${token}`, connection, (callers) =>
      this.verifyAndKeep(token, audiences, scope, callers),
    );
    // Each caller is refused on its own: a late refusal must not be shared by callers that come in the meantime.
    return result instanceof Promise ? result.catch((error: unknown) => this.refuse(error)) : result;
  };

  clear(): void {
    this.accepted.clear();
    this.rejected.clear();
  }

  private verifyAndKeep(
    token: string,
    audiences: readonly string[],
    scope: string,
    callers: CallerConnection,
  ): Verdict | Promise<Verdict> {
    const askedMs = this.clock.monotonicMs();
    const keep = (verdict: Verdict): Verdict => {
      this.keepVerdict(token, scope, verdict, askedMs);
      return verdict;
    };
    const result = this.uncached(token, audiences, callers);
    if (!(result instanceof Promise)) return keep(result);
    return result.then(keep, (error: unknown) => {
      if (error instanceof InvalidTokenError) this.keepRejection(token, scope, error);
      throw error;
    });
  }

  /** @throws the error, sooner or later */
  private refuse(error: unknown): Promise<never> {
    const held = this.options.brake?.hold(error);
    if (!held) throw error;
    return held.then(() => {
      throw error;
    });
  }

  private keepVerdict(token: string, scope: string, verdict: Verdict, askedMs: number): void {
    const { clock, successLifetimeMs = Infinity } = this.options;
    const ageMs = clock.monotonicMs() - askedMs;
    const lifetimeMs = Math.min(successLifetimeMs - ageMs, verdict.validUntilMs - clock.wallMs());
    this.keep(this.accepted, token, scope, verdict, lifetimeMs);
  }

  private keepRejection(token: string, scope: string, error: InvalidTokenError): void {
    if (error.reason === 'EXPIRED' || error.reason === 'NOT_YET_VALID') return;
    this.keep(this.rejected, token, scope, toRejection(error), this.options.rejectionLifetimeMs ?? 0);
  }

  private keep<Value>(
    store: TokenMap<CacheEntry<Value>>,
    token: string,
    scope: string,
    value: Value,
    lifetimeMs: number,
  ): void {
    if (lifetimeMs > 0) store.set(token, { value, untilMs: this.clock.monotonicMs() + lifetimeMs }, scope);
  }

  private recall<Value>(store: TokenMap<CacheEntry<Value>>, token: string, scope: string): Value | undefined {
    const entry = store.get(token, scope);
    if (!entry) return undefined;
    if (this.clock.monotonicMs() < entry.untilMs) return entry.value;
    store.delete(token, scope);
    return undefined;
  }
}

/** A text for a list of audiences that no other list has. The usual list has one element. */
function scopeOf(audiences: readonly string[]): string {
  const [only] = audiences;
  return audiences.length === 1 && only !== undefined ? `=${only}` : JSON.stringify(audiences);
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
