import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { InvalidTokenError, type InvalidTokenReason } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { SingleFlight } from '../util/single-flight.js';
import { type Readiness, type TokenVerifier, type Verdict } from './token-verifier.js';

// Of each kind. A digest and a principal take about 1.5 KB, so both together stay under 20 MiB.
const MOST_ENTRIES = 5_000;

export interface VerdictCacheOptions {
  readonly clock: Clock;
  /** How long an accepted token is not looked at again; 0 turns this off. */
  readonly successLifetimeMs: number;
  /** The same for a refused one. */
  readonly rejectionLifetimeMs: number;
}

interface Remembered<Value> {
  readonly value: Value;
  /** Monotonic clock. */
  readonly untilMs: number;
}

/** What is kept of a refusal: an error itself would hold its stack, and all that it refers to. */
interface Refusal {
  readonly reason: InvalidTokenReason;
  readonly message: string;
}

/**
 * A verifier that remembers what another one said. A hit is answered at once, without a promise.
 *
 * - Keyed by an HMAC-SHA-256 with a random key of this process over kind, token and audiences, each with its length in
 *   front: no token text is kept, nobody outside can make two keys meet, and a verdict for one audience is none for
 *   another (kube-apiserver's token cache does the same).
 * - Ages on the monotonic clock, ends with the verdict's own end on the wall clock, whichever is first; a wall clock
 *   that jumps back lengthens nothing.
 * - Concurrent calls of the same key share one run, even with both lifetimes 0.
 * - Refusals that cost something are remembered, in a store of their own, so that garbage cannot push good entries out.
 *   Not those thrown at once: finding them again costs no more than looking them up. Not those that time alone changes
 *   (EXPIRED, NOT_YET_VALID). Never failures: that something could not be decided says nothing about the token.
 * @internal
 */
export class VerdictCache implements TokenVerifier {
  readonly #secret = randomBytes(32);
  private readonly accepted = new LRUCache<string, Remembered<Verdict>>({ max: MOST_ENTRIES });
  private readonly refused = new LRUCache<string, Remembered<Refusal>>({ max: MOST_ENTRIES });
  private readonly running = new SingleFlight<string, Verdict>();

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly options: VerdictCacheOptions,
  ) {}

  get kind(): string {
    return this.verifier.kind;
  }

  verify(token: string, audiences: readonly string[]): Verdict | Promise<Verdict> {
    const key = this.keyOf(token, audiences);
    const verdict = this.recall(this.accepted, key);
    if (verdict && this.options.clock.wallMs() < verdict.validUntilMs) return verdict;
    const refusal = this.recall(this.refused, key);
    if (refusal) throw new InvalidTokenError(refusal.reason, refusal.message);
    return this.running.run(key, () => this.ask(key, token, audiences));
  }

  hydrate(): void {
    this.verifier.hydrate();
  }

  readiness(): Readiness {
    return this.verifier.readiness();
  }

  apiServerAudiences(): Promise<readonly string[] | undefined> {
    return this.verifier.apiServerAudiences();
  }

  close(): Promise<void> {
    this.accepted.clear();
    this.refused.clear();
    return this.verifier.close();
  }

  private async ask(key: string, token: string, audiences: readonly string[]): Promise<Verdict> {
    const answer = this.verifier.verify(token, audiences);
    try {
      const verdict = await answer;
      this.keepVerdict(key, verdict);
      return verdict;
    } catch (error) {
      if (error instanceof InvalidTokenError) this.keepRefusal(key, error);
      throw error;
    }
  }

  private keepVerdict(key: string, verdict: Verdict): void {
    const { clock, successLifetimeMs } = this.options;
    const lifetimeMs = Math.min(successLifetimeMs, verdict.validUntilMs - clock.wallMs());
    this.keep(this.accepted, key, verdict, lifetimeMs);
  }

  private keepRefusal(key: string, { reason, message }: InvalidTokenError): void {
    if (reason === 'EXPIRED' || reason === 'NOT_YET_VALID') return;
    this.keep(this.refused, key, { reason, message }, this.options.rejectionLifetimeMs);
  }

  private keep<Value>(
    store: LRUCache<string, Remembered<Value>>,
    key: string,
    value: Value,
    lifetimeMs: number,
  ): void {
    if (lifetimeMs > 0) store.set(key, { value, untilMs: this.options.clock.monotonicMs() + lifetimeMs });
  }

  private recall<Value>(store: LRUCache<string, Remembered<Value>>, key: string): Value | undefined {
    const remembered = store.get(key);
    if (!remembered) return undefined;
    if (this.options.clock.monotonicMs() < remembered.untilMs) return remembered.value;
    store.delete(key);
    return undefined;
  }

  private keyOf(token: string, audiences: readonly string[]): string {
    const parts = [this.kind, token, ...audiences];
    const text = parts.map((part) => `${part.length}:${part}`).join('');
    return createHmac('sha256', this.#secret).update(text).digest('base64');
  }
}
