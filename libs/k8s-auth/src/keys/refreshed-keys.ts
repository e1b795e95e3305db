import { VerifierUnavailableError } from '../errors.js';
import { type EventSink } from '../events/k8s-auth.events.js';
import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type VerificationKey } from '../jwt/verification-key.js';
import { type Clock } from '../util/clock.js';
import { describeError, type Log } from '../util/log.js';
import { plainErrorOf } from '../util/plain-error.js';
import { Refreshed, type RefreshPolicy } from '../util/refreshed.js';
import { type Readiness } from '../util/readiness.js';
import { settleBefore, startDeadline } from '../util/timers.js';
import { type KeyProvider, type KeyStatistics } from './key-provider.js';
import { KeySet } from '../jwt/signature.js';
import { KeyFailures } from './key-failures.js';
import { type FetchedKeys, type KeySource } from './key-source.js';

const MIN_RETRY_AFTER_MS = 1_000;
// While there are no keys, an attempt is running nearly all the time. After a failed attempt, callers wait only this
// long.
const MAX_WAIT_AFTER_FAILURE_MS = 1_000;

/** The policy for keys that a server publishes. */
export const PUBLISHED_KEYS: RefreshPolicy = {
  // A key that the issuer has removed is used at most this much longer. API servers allow one hour (max-age).
  periodMs: 5 * 60_000,
  // A flood of unknown key IDs causes at most six fetches a minute, successful or not.
  cooldownMs: 10_000,
  // Without keys no caller is served, and the server may recover at any moment.
  cooldownWithoutValueMs: 1_000,
  timeoutMs: 5_000,
  maxAgeMs: 24 * 3_600_000,
  jitterShare: 0.05,
};

/** The policy for keys in files: the last good keys are used as long as the files are unusable. */
export const KEYS_IN_FILES: RefreshPolicy = {
  // Periodic reads notice every `..data` swap of a mounted ConfigMap. A file watcher stops working after the first
  // swap.
  periodMs: 10_000,
  cooldownMs: 10_000,
};

export interface RefreshedKeysContext {
  readonly policy: RefreshPolicy;
  /** The issuers whose tokens the keys verify. @default the issuers that the source returns with the keys */
  readonly issuers?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Gets an event for each failed fetch. */
  readonly events?: EventSink;
  /** Returns a number from 0 to 1, for the jitter of retries. @default Math.random */
  readonly random?: () => number;
}

/** The keys in the form that is used for lookups. */
interface HeldKeys {
  readonly issuers: readonly string[];
  readonly keys: KeySet;
}

/**
 * The keys of one source that may be unreachable. All callers that need keys share one fetch. The keys of the last
 * successful fetch are used as long as the policy allows. If the source throttles with `Retry-After`, the next fetch
 * waits for that time.
 * @internal
 */
export class RefreshedKeys implements KeyProvider {
  private readonly refreshed: Refreshed<HeldKeys>;
  private readonly failures: KeyFailures;

  /** @param first keys that have just been fetched */
  constructor(
    private readonly source: KeySource,
    private readonly context: RefreshedKeysContext,
    first?: FetchedKeys,
  ) {
    this.failures = new KeyFailures(context, (reason) => this.emitStaleKeys(reason));
    this.refreshed = new Refreshed(
      {
        ...context,
        fetch: async (deadline, last) => {
          const held = toHeldKeys(await this.source.fetch(deadline), last);
          this.failures.noteSuccess();
          return held;
        },
        onFailure: (error) => this.failures.note(error),
      },
      first && toHeldKeys(first),
    );
  }

  start(): void {
    this.refreshed.start();
  }

  stop(): void {
    this.refreshed.stop('verifier was closed');
  }

  issuers(): readonly string[] | Promise<readonly string[]> {
    return this.context.issuers ?? this.refreshed.value?.issuers ?? this.issuersAfterFetch();
  }

  knownIssuers(): readonly string[] | undefined {
    const { issuers = [] } = this.context;
    const known = [...new Set([...issuers, ...(this.refreshed.last?.issuers ?? [])])];
    return known.length > 0 ? known : undefined;
  }

  find(header: UnverifiedHeader): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    const known = this.refreshed.value?.keys.candidates(header) ?? [];
    return known.length > 0 ? known : this.findAfterFetch(header);
  }

  /** Like {@link find}, but never waits and never throws: an unknown key starts a fetch, whose result later calls can use. */
  findNow(header: UnverifiedHeader): readonly VerificationKey[] {
    const known = this.refreshed.value?.keys.candidates(header) ?? [];
    if (known.length === 0) {
      this.refreshed.start();
      void this.refreshed.refreshIfDue();
    }
    return known;
  }

  trusts(key: VerificationKey, issuer?: string): boolean {
    const held = this.refreshed.value;
    if (!held?.keys.has(key)) return false;
    return issuer === undefined || (this.context.issuers ?? held.issuers).includes(issuer);
  }

  /** Whether {@link readiness} is not `not-ready`; does not describe the reason. */
  get isReady(): boolean {
    const { failure, last } = this.refreshed;
    // An API server that has just started has no roles for a short time. With keys, one such refusal keeps us ready.
    return last !== undefined && (failure === undefined || this.failures.rightMissingCount <= 1);
  }

  readiness(): Readiness {
    const { failure, last } = this.refreshed;
    if (!last) {
      const reason = failure === undefined ? 'keys have not been fetched yet' : describeError(failure);
      return { status: 'not-ready', reason };
    }
    if (failure === undefined) return { status: 'ready' };
    return { status: this.isReady ? 'degraded' : 'not-ready', reason: describeError(failure) };
  }

  statistics(): KeyStatistics {
    const { value, valueAgeMs } = this.refreshed;
    return { count: value?.keys.size ?? 0, ...(valueAgeMs !== undefined && { ageMs: valueAgeMs }) };
  }

  private async issuersAfterFetch(): Promise<readonly string[]> {
    await this.fetchIfDue();
    const held = this.refreshed.value;
    if (!held) throw this.unavailable();
    return held.issuers;
  }

  private async findAfterFetch(header: UnverifiedHeader): Promise<readonly VerificationKey[]> {
    await this.fetchIfDue();
    const held = this.refreshed.value;
    const known = held?.keys.candidates(header) ?? [];
    if (!held || (known.length === 0 && this.refreshed.failure !== undefined)) throw this.unavailable();
    return known;
  }

  private async fetchIfDue(): Promise<void> {
    this.refreshed.start();
    const fetching = this.refreshed.refreshIfDue();
    const { failure, value } = this.refreshed;
    if (failure === undefined || value !== undefined) return fetching;
    const waitLimit = startDeadline(this.context.clock, MAX_WAIT_AFTER_FAILURE_MS);
    await settleBefore(waitLimit, fetching).catch(() => {});
    waitLimit.cancel();
  }

  private emitStaleKeys(reason: string): void {
    const { events } = this.context;
    if (!events?.hears('onStaleKeys')) return;
    const { valueAgeMs } = this.refreshed;
    const issuers = this.knownIssuers();
    events.emit('onStaleKeys', {
      reason,
      ...(valueAgeMs !== undefined && { ageMs: valueAgeMs }),
      ...(issuers && { issuers }),
    });
  }

  private unavailable(): VerifierUnavailableError {
    const { failure, nextInMs } = this.refreshed;
    return new VerifierUnavailableError('keys of the issuer could not be fetched', {
      cause: failure === undefined ? undefined : plainErrorOf(failure),
      retryAfterMs: Math.max(MIN_RETRY_AFTER_MS, nextInMs),
    });
  }
}

function toHeldKeys({ issuers, keys }: FetchedKeys, last?: HeldKeys): HeldKeys {
  return { issuers, keys: new KeySet(keys, last?.keys) };
}
