import { OwnCredentialRefusedError } from '../api-server/own-credential.js';
import { Pause, readRetryAfterMs } from '../api-server/retry-policy.js';
import { VerifierUnavailableError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { describeError, type Log } from '../util/log.js';
import { OncePerMinute } from '../util/once-per-minute.js';
import { PlainError, plainErrorOf } from '../util/plain-error.js';
import { type OwnDeadline, startDeadline } from '../util/timers.js';
import { within } from '../util/within.js';
import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type VerificationKey } from '../jwt/verification-key.js';
import { type Readiness } from '../verifiers/token-verifier.js';
import { isRightMissing, type KeySource, KeySourceTrouble } from './key-source.js';
import { LastGoodKeys } from './last-good-keys.js';

// A key is gone from here at most this long after it is gone from the issuer; API servers allow an hour (max-age).
const REFRESH_PERIOD_MS = 5 * 60_000;
// Least time between attempts, good or bad, whoever wants them: a flood of unknown keys costs six fetches a minute.
const COOLDOWN_MS = 10_000;
// After a bad attempt the next is due when the cooldown is over, a little later for each replica: sooner would be one
// more in the minute.
const RETRY_JITTER_SHARE = 0.05;
const ATTEMPT_TIMEOUT_MS = 5_000;
const MIN_RETRY_AFTER_MS = 1_000;

export interface RefreshedKeysContext {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter of retries. @default Math.random */
  readonly random?: () => number;
}

/**
 * The keys of an issuer that may be unreachable. All who need keys share one attempt; the next is planned when one has
 * ended. After a bad one those of the last good one are used, as long as {@link LastGoodKeys} lets them be. An issuer
 * that throttles (`Retry-After`) is not asked again before the time it names.
 * @internal
 */
export class RefreshedKeys {
  private readonly lastGood: LastGoodKeys;
  private failure?: Error;
  /** Attempts in a row that were told that we have no right to read. */
  private withoutRight = 0;
  private lastAttemptMs?: number;
  private nextAttemptMs = 0;
  private cancelNext = () => {};
  private isClosed = false;
  private running?: Promise<void>;
  private deadline?: OwnDeadline;
  private readonly pause: Pause;
  private readonly onceAMinute: OncePerMinute;

  constructor(
    private readonly source: KeySource,
    private readonly context: RefreshedKeysContext,
  ) {
    this.lastGood = new LastGoodKeys(context.clock);
    this.pause = new Pause(context.clock);
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  /** Starts fetching, and goes on doing so. */
  start(): void {
    if (this.lastAttemptMs === undefined) void this.attempt();
  }

  /** Ends the attempt under way, and all to come. */
  stop(): void {
    this.isClosed = true;
    this.cancelNext();
    this.deadline?.abort(new PlainError('Error', 'verifier was closed'));
  }

  /** Whom the keys speak for. @throws {VerifierUnavailableError} not known yet */
  issuers(): readonly string[] | Promise<readonly string[]> {
    return this.lastGood.usable()?.issuers ?? this.issuersAfterAttempt();
  }

  /** The same without waiting, also when the keys are too old by now; `undefined` before the first. */
  lastKnownIssuers(): readonly string[] | undefined {
    return this.lastGood.issuers;
  }

  /**
   * At once where the key is known; after the shared attempt, where one is due, for one that is not.
   * @returns none when the issuer was asked and does not have it
   * @throws {VerifierUnavailableError} there are no keys, or the issuer could not be asked for this one
   */
  candidates(header: UnverifiedHeader): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    const known = this.lastGood.usable()?.keys.candidates(header) ?? [];
    return known.length > 0 ? known : this.candidatesAfterAttempt(header);
  }

  readiness(): Readiness {
    const { failure } = this;
    if (!this.lastGood.issuers) {
      const reason = failure ? describeError(failure) : 'keys have not been fetched yet';
      return { status: 'not-ready', reason };
    }
    if (!failure) return { status: 'ready' };
    // An API server that has just started knows no roles for moments: that alone takes nobody with keys out of service.
    return { status: this.withoutRight > 1 ? 'not-ready' : 'degraded', reason: describeError(failure) };
  }

  private async issuersAfterAttempt(): Promise<readonly string[]> {
    await this.attemptIfDue();
    const held = this.lastGood.usable();
    if (!held) throw this.unavailable();
    return held.issuers;
  }

  private async candidatesAfterAttempt(header: UnverifiedHeader): Promise<readonly VerificationKey[]> {
    await this.attemptIfDue();
    const held = this.lastGood.usable();
    const known = held?.keys.candidates(header) ?? [];
    if (!held || (known.length === 0 && this.failure)) throw this.unavailable();
    return known;
  }

  private async attemptIfDue(): Promise<void> {
    const ageMs = this.context.clock.monotonicMs() - (this.lastAttemptMs ?? -Infinity);
    const isDue = ageMs >= COOLDOWN_MS && this.pause.remainingMs() === 0;
    if (this.running || isDue) await this.attempt();
  }

  /** Never rejects. */
  private attempt(): Promise<void> {
    this.running ??= this.attemptOnce().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async attemptOnce(): Promise<void> {
    if (this.isClosed) return;
    this.cancelNext();
    this.lastAttemptMs = this.context.clock.monotonicMs();
    try {
      this.lastGood.replace(await this.fetchInTime());
      this.failure = undefined;
      this.withoutRight = 0;
    } catch (error) {
      this.noteFailure(error);
    }
    this.planNext();
  }

  private async fetchInTime() {
    const deadline = startDeadline(this.context.clock, ATTEMPT_TIMEOUT_MS);
    this.deadline = deadline;
    try {
      // Around it all, because not everything on the way knows signals: the own credential may come from a plugin.
      return await within(deadline.signal, this.source.fetch(deadline));
    } finally {
      deadline.cancel();
    }
  }

  private noteFailure(error: unknown): void {
    this.failure = plainErrorOf(error);
    this.withoutRight = isRightMissing(error) ? this.withoutRight + 1 : 0;
    this.pause.extend(retryAfterMsOf(error, this.context.clock));
    if (error instanceof OwnCredentialRefusedError) this.lastGood.shorten();
    if (!this.isClosed) this.report(error);
  }

  private planNext(): void {
    if (this.isClosed) return;
    const { clock, random = Math.random } = this.context;
    const delayMs = this.failure
      ? Math.max(COOLDOWN_MS * (1 + RETRY_JITTER_SHARE * random()), this.pause.remainingMs())
      : REFRESH_PERIOD_MS;
    this.nextAttemptMs = clock.monotonicMs() + delayMs;
    this.cancelNext = clock.schedule(delayMs, () => void this.attempt());
  }

  private report(error: unknown): void {
    const message = `keys could not be fetched: ${describeError(error)}`;
    try {
      this.onceAMinute.run(isRightMissing(error) ? 'right' : 'fetch', () => {
        if (isRightMissing(error)) this.context.log.error({ message });
        else this.context.log.warn({ message });
      });
    } catch {
      // A logger of the user's that throws must end neither the attempts nor, as an unhandled rejection, the process.
    }
  }

  private unavailable(): VerifierUnavailableError {
    const leftMs = this.nextAttemptMs - this.context.clock.monotonicMs();
    return new VerifierUnavailableError('keys of the issuer could not be fetched', {
      cause: this.failure,
      retryAfterMs: Math.max(MIN_RETRY_AFTER_MS, leftMs),
    });
  }
}

/** What an issuer has asked for, or an API server has asked its client for. */
function retryAfterMsOf(error: unknown, clock: Clock): number {
  if (error instanceof VerifierUnavailableError) return error.retryAfterMs;
  if (!(error instanceof KeySourceTrouble)) return 0;
  return readRetryAfterMs(error.retryAfter, clock.wallMs()) ?? 0;
}
