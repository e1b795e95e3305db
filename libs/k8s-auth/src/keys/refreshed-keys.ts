import { OwnCredentialRefusedError } from '../api-server/own-credential.js';
import { readRetryAfterMs } from '../api-server/retry-policy.js';
import { VerifierUnavailableError } from '../errors.js';
import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type VerificationKey } from '../jwt/verification-key.js';
import { type Clock } from '../util/clock.js';
import { describeError, type Log, OncePerMinute } from '../util/log.js';
import { plainErrorOf } from '../util/plain-error.js';
import { type FailureEffect, Refreshed, type RefreshPolicy } from '../util/refreshed.js';
import { type Readiness } from '../util/readiness.js';
import { startDeadline, settleUnlessAborted } from '../util/timers.js';
import { type KeyProvider } from './key-provider.js';
import { KeySet } from '../jwt/signature.js';
import { type FetchedKeys, isRightMissing, type KeySource, KeySourceError } from './key-source.js';

const MIN_RETRY_AFTER_MS = 1_000;
// Without keys an attempt is nearly always under way. After one that failed, a caller need not wait as long as it may.
const MAX_WAIT_AFTER_FAILURE_MS = 1_000;

/** Keys that a server publishes. */
export const PUBLISHED_KEYS: RefreshPolicy = {
  // A key is gone from here at most this long after it is gone from the issuer; API servers allow an hour (max-age).
  periodMs: 5 * 60_000,
  // A flood of unknown keys costs six fetches a minute, good or bad.
  cooldownMs: 10_000,
  // Nobody is served meanwhile, and the server may be back at once.
  cooldownWithoutValueMs: 1_000,
  timeoutMs: 5_000,
  maxAgeMs: 24 * 3_600_000,
  jitterShare: 0.05,
};

// An API server that refuses us is reachable: it may have dropped the key that our own token is of, and that key must
// not be used here for long. Time for some attempts, because one that has just started refuses everybody for moments.
const MAX_AGE_ONCE_REFUSED_MS = 10 * 60_000;

/** Keys in files: the last good ones are used for as long as the files are unusable. */
export const KEYS_IN_FILES: RefreshPolicy = {
  // Reading by period sees the `..data` swap of a mounted ConfigMap; watching a mounted file goes blind after the first.
  periodMs: 10_000,
  cooldownMs: 10_000,
};

export interface RefreshedKeysContext {
  readonly policy: RefreshPolicy;
  /** The issuers whose tokens the keys verify. Omitted: those that come with the keys. */
  readonly issuers?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter of retries. @default Math.random */
  readonly random?: () => number;
}

/** Keys as they are used. */
interface HeldKeys {
  readonly issuers: readonly string[];
  readonly keys: KeySet;
}

/**
 * The keys of one source that may be unreachable. All who need keys share one fetch; those of the last good one are used
 * as long as the policy allows. A source that throttles (`Retry-After`) is not asked again before the time it names.
 * @internal
 */
export class RefreshedKeys implements KeyProvider {
  private readonly refreshed: Refreshed<HeldKeys>;
  private readonly onceAMinute: OncePerMinute;
  /** Fetches in a row that were told that we have no right to read. */
  private withoutRight = 0;

  /** @param first keys that were fetched just now */
  constructor(
    private readonly source: KeySource,
    private readonly context: RefreshedKeysContext,
    first?: FetchedKeys,
  ) {
    this.onceAMinute = new OncePerMinute(context.clock);
    this.refreshed = new Refreshed(
      {
        ...context,
        fetch: async (deadline) => {
          const held = hold(await this.source.fetch(deadline));
          this.withoutRight = 0;
          return held;
        },
        onFailure: (error) => this.noteFailure(error),
      },
      first && hold(first),
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

  readiness(): Readiness {
    const { failure, last } = this.refreshed;
    if (!last) {
      const reason = failure === undefined ? 'keys have not been fetched yet' : describeError(failure);
      return { status: 'not-ready', reason };
    }
    if (failure === undefined) return { status: 'ready' };
    // An API server that has just started knows no roles for moments: that alone takes nobody with keys out of service.
    return { status: this.withoutRight > 1 ? 'not-ready' : 'degraded', reason: describeError(failure) };
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
    const patience = startDeadline(this.context.clock, MAX_WAIT_AFTER_FAILURE_MS);
    await settleUnlessAborted(patience.signal, fetching).catch(() => {});
    patience.cancel();
  }

  private noteFailure(error: unknown): FailureEffect {
    const isWithoutRight = isRightMissing(error);
    this.withoutRight = isWithoutRight ? this.withoutRight + 1 : 0;
    const message = `keys could not be fetched: ${describeError(error)}`;
    this.onceAMinute.run(isWithoutRight ? 'right' : 'fetch', () => {
      if (isWithoutRight) this.context.log.error({ message });
      else this.context.log.warn({ message });
    });
    return {
      pauseMs: retryAfterMsOf(error, this.context.clock),
      ...(error instanceof OwnCredentialRefusedError && { maxAgeMs: MAX_AGE_ONCE_REFUSED_MS }),
    };
  }

  private unavailable(): VerifierUnavailableError {
    const { failure, nextInMs } = this.refreshed;
    return new VerifierUnavailableError('keys of the issuer could not be fetched', {
      cause: failure === undefined ? undefined : plainErrorOf(failure),
      retryAfterMs: Math.max(MIN_RETRY_AFTER_MS, nextInMs),
    });
  }
}

function hold({ issuers, keys }: FetchedKeys): HeldKeys {
  return { issuers, keys: new KeySet(keys) };
}

/** What an issuer has asked for, or an API server has asked its client for. */
function retryAfterMsOf(error: unknown, clock: Clock): number {
  if (error instanceof VerifierUnavailableError) return error.retryAfterMs;
  if (!(error instanceof KeySourceError)) return 0;
  return readRetryAfterMs(error.retryAfter, clock.wallMs()) ?? 0;
}
