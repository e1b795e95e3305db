import { type CallerConnection } from '../api-server/fair-queue.js';
import { InvalidTokenError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { SharedWork } from './shared-work.js';
import { type TokenEntry, TokenMap } from './token-map.js';
import { type Verdict, type Verify } from './verifier.js';

// For accepted and for rejected tokens each, and for each list of audiences. A token of 1.2 KB and its principal take less
// than 2.5 KB.
const MAX_TOKENS = 5_000;

export interface VerdictCacheOptions {
  readonly clock: Clock;
  /** How long an accepted token is not verified again, milliseconds. With 0, it is verified each time. @default Infinity */
  readonly successLifetimeMs?: number;
  /** How long a rejected token is not verified again, milliseconds. With 0, it is verified each time. @default 0 */
  readonly rejectionLifetimeMs?: number;
  /** A limit for one token. `undefined`: the verdict is not kept. @default no limit */
  readonly limitOf?: (token: string) => KeepLimit | undefined;
  /** Whether a refusal waits before it is told; omitted: none does. */
  readonly brake?: { hold(error: unknown): Promise<void> | undefined };
}

/** How long an accepted token may be kept. @internal */
export interface KeepLimit {
  /** The same text. It may be one that is in memory already, so that it is kept only once. */
  readonly token: string;
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
  // Two maps, so that a list never has the key of a single audience.
  private readonly ofOneAudience = new Map<string, CacheForAudiences>();
  private readonly ofSeveral = new Map<string, CacheForAudiences>();
  /** A call that shares the verification of another call is a miss. Never reset. */
  readonly counts: CacheCounts = { cacheHits: 0, cacheMisses: 0 };

  constructor(
    private readonly uncached: Verify,
    private readonly options: VerdictCacheOptions,
  ) {}

  readonly verify: Verify = (token, audiences, connection) =>
    this.cacheFor(audiences).verify(token, connection);

  clear(): void {
    this.ofOneAudience.clear();
    this.ofSeveral.clear();
  }

  /** Startup has compiled the audiences of all routes, so there are few lists. */
  private cacheFor(audiences: readonly string[]): CacheForAudiences {
    const [only] = audiences;
    const isOne = only !== undefined && audiences.length === 1;
    const caches = isOne ? this.ofOneAudience : this.ofSeveral;
    const key = isOne ? only : JSON.stringify(audiences);
    const known = caches.get(key);
    if (known) return known;
    const created = new CacheForAudiences(
      Object.freeze([...audiences]),
      this.uncached,
      this.options,
      this.counts,
    );
    caches.set(key, created);
    return created;
  }
}

/** Plain numbers, because they change with each request. */
interface CacheCounts {
  cacheHits: number;
  cacheMisses: number;
}

interface CacheEntry<Value> extends TokenEntry {
  readonly value: Value;
  /** Monotonic clock. */
  readonly untilMs: number;
}

class CacheForAudiences {
  private readonly accepted = new TokenMap<CacheEntry<Verdict>>({ maxTokens: MAX_TOKENS });
  /** Omitted if rejections are not kept. */
  private readonly rejected?: TokenMap<CacheEntry<Rejection>>;
  private readonly running = new SharedWork<Verdict>();
  private readonly clock: Clock;

  constructor(
    private readonly audiences: readonly string[],
    private readonly uncached: Verify,
    private readonly options: VerdictCacheOptions,
    private readonly counts: CacheCounts,
  ) {
    this.clock = options.clock;
    if (options.rejectionLifetimeMs) this.rejected = new TokenMap({ maxTokens: MAX_TOKENS });
  }

  verify(token: string, connection: CallerConnection | undefined): Verdict | Promise<Verdict> {
    const verdict = this.recall(this.accepted, token);
    if (verdict && this.clock.wallMs() < verdict.validUntilMs && (verdict.isCurrent?.() ?? true)) {
      this.counts.cacheHits++;
      return verdict;
    }
    const rejection = this.rejected && this.recall(this.rejected, token);
    if (rejection) {
      this.counts.cacheHits++;
      return this.refuse(toInvalidTokenError(rejection));
    }
    this.counts.cacheMisses++;
    const result = this.running.run(token, connection, (callers) => this.verifyAndKeep(token, callers));
    // Each caller is refused on its own: a late refusal must not be shared by callers that come in the meantime.
    return result instanceof Promise ? result.catch((error: unknown) => this.refuse(error)) : result;
  }

  private verifyAndKeep(token: string, callers: CallerConnection): Verdict | Promise<Verdict> {
    const askedMs = this.clock.monotonicMs();
    const result = this.uncached(token, this.audiences, callers);
    if (!(result instanceof Promise)) return this.keepVerdict(token, result, askedMs);
    return result.then(
      (verdict) => this.keepVerdict(token, verdict, askedMs),
      (error: unknown) => {
        this.keepRejection(token, error);
        throw error;
      },
    );
  }

  /** @throws the error, sooner or later */
  private refuse(error: unknown): Promise<never> {
    const held = this.options.brake?.hold(error);
    if (!held) throw error;
    return held.then(() => {
      throw error;
    });
  }

  private keepVerdict(token: string, verdict: Verdict, askedMs: number): Verdict {
    const { successLifetimeMs = Infinity, limitOf } = this.options;
    const limit = limitOf ? limitOf(token) : { token, untilMs: Infinity };
    if (!limit) return verdict;
    const nowMs = this.clock.monotonicMs();
    const remainingMs = verdict.validUntilMs - this.clock.wallMs();
    const untilMs = Math.min(askedMs + successLifetimeMs, nowMs + remainingMs, limit.untilMs);
    if (untilMs > nowMs) this.accepted.set({ token: limit.token, wasUsed: false, value: verdict, untilMs });
    return verdict;
  }

  private keepRejection(token: string, error: unknown): void {
    if (!(error instanceof InvalidTokenError)) return;
    if (error.reason === 'EXPIRED' || error.reason === 'NOT_YET_VALID') return;
    const untilMs = this.clock.monotonicMs() + (this.options.rejectionLifetimeMs ?? 0);
    this.rejected?.set({ token, wasUsed: false, value: toRejection(error), untilMs });
  }

  private recall<Value>(store: TokenMap<CacheEntry<Value>>, token: string): Value | undefined {
    const entry = store.get(token);
    if (!entry) return undefined;
    if (this.clock.monotonicMs() < entry.untilMs) return entry.value;
    store.delete(token);
    return undefined;
  }
}
