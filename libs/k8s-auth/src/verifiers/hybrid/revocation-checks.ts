import { type CallerConnection } from '../../api-server/fair-queue.js';
import { OwnCredentialUnreadableError } from '../../api-server/own-credential.js';
import { OutageError } from '../../api-server/retry-policy.js';
import { InvalidTokenError } from '../../errors.js';
import { type Clock } from '../../util/clock.js';
import { SharedWork } from '../shared-work.js';
import { type TokenEntry, TokenMap } from '../token-map.js';
import { type KeepLimit, type Rejection, toInvalidTokenError, toRejection } from '../verdict-cache.js';
import { type Verdict } from '../verifier.js';

/** What to do with a correctly signed token while the API server cannot tell whether it was revoked. @publicApi */
export type WhenUnavailable = 'refuse' | 'accept-until-expiry';

// Of accepted and of rejected tokens each, so that many tokens do not make a rejected one forgotten. A token and its state take
// less than 2.5 KB.
const MAX_TOKENS = 10_000;

// With 'accept-until-expiry': how often the API server is asked about one token while it is unreachable, at most and at
// least: at random, so that not all tokens need a review at the same moment after the outage.
const MAX_RETRY_PERIOD_MS = 10_000;
const MIN_RETRY_SHARE = 0.5;

// The next review starts a little more than the time of the last review before the last answer becomes too old, so that the
// answer is there in time, but not much more, so that there is about one review per period.
const LEAD_PER_REVIEW_TIME = 1.2;
const MAX_LEAD_SHARE = 0.25;
// The times between two reviews are multiples of this part of a period: Node keeps one list of timers for each duration, and the
// socket of each request is in one of them.
const STEPS_PER_PERIOD = 100;

export interface RevocationChecksContext {
  /** Asks the API server whether an accepted token was revoked. @throws {InvalidTokenError} it was revoked */
  readonly ask: (token: string, verdict: Verdict, connection?: CallerConnection) => Promise<void>;
  readonly clock: Clock;
  /** How long an answer is used, milliseconds. */
  readonly periodMs: number;
  readonly whenUnavailable: WhenUnavailable;
  /** From 0 to 1, for the time between two reviews during an outage. @default Math.random */
  readonly random?: () => number;
}

/** The last answer about one token. */
interface TokenState extends TokenEntry {
  /** Omitted if the token is accepted. */
  readonly rejection?: Rejection | undefined;
  /** Monotonic time until which the answer is used, milliseconds. */
  readonly untilMs: number;
  /** Monotonic time from which a use of the token starts the next review, milliseconds. */
  askAgainFromMs: number;
  /** The peer address of the first use since the answer. Omitted if the token was not used. */
  address?: string;
  /** Cancels the timer for the next review. */
  readonly cancel: () => void;
  /** Whether a review is running although the last answer can still be used. */
  isBeingReviewed?: boolean;
}

/**
 * Caches the API server's answers about tokens. An answer is used for one period, which starts when the API server is
 * asked.
 *
 * - The first use of a token waits for the answer; concurrent uses share it. While the token is in use, the next review
 *   starts shortly before the last answer becomes too old, so that no request waits for it.
 * - A rejection is also used for one period, and the API server is not asked again before its end.
 * @internal
 */
export class RevocationChecks {
  private readonly accepted = createStore();
  private readonly rejected = createStore();
  private readonly asking = new SharedWork<void>();
  private isClosed = false;

  constructor(private readonly context: RevocationChecksContext) {}

  /**
   * @param verdict of the local verification; the API server is not asked after its end
   * @returns synchronously while the last answer is not too old
   * @throws {InvalidTokenError} the token was revoked
   * @throws {VerifierUnavailableError} the API server did not answer
   */
  check(token: string, verdict: Verdict, connection: CallerConnection | undefined): void | Promise<void> {
    const nowMs = this.context.clock.monotonicMs();
    // Looked up at each call, so that a token in use is not dropped.
    const state = this.accepted.get(token) ?? this.rejected.get(token);
    if (!state || nowMs >= state.untilMs) return this.askOnce(token, verdict, connection);
    state.address ??= connection?.address ?? '';
    if (nowMs >= state.askAgainFromMs) this.askInBackground(token, verdict);
    if (state.rejection) throw toInvalidTokenError(state.rejection);
  }

  /**
   * How long {@link check} need not be called for an accepted token: until the next review starts, after which any answer may
   * come. The first use after an answer is always checked, because a token that is not used is not reviewed again.
   * @returns `undefined` if the next use must be checked
   */
  uncheckedUse(token: string): KeepLimit | undefined {
    const state = this.accepted.peek(token);
    if (!state || state.address === undefined || state.isBeingReviewed) return undefined;
    return { token: state.token, untilMs: Math.min(state.askAgainFromMs, state.untilMs) };
  }

  /** Deletes all answers and cancels all timers. */
  close(): void {
    this.isClosed = true;
    this.accepted.clear();
    this.rejected.clear();
  }

  private askOnce(token: string, verdict: Verdict, connection?: CallerConnection): void | Promise<void> {
    return this.asking.run(token, connection, (callers) => this.askAndKeep(token, verdict, callers));
  }

  /** An error is ignored here: the next use of the token after the last answer is too old asks again, and gets the error. */
  private askInBackground(token: string, verdict: Verdict): void {
    const state = this.accepted.peek(token);
    if (state) Object.assign(state, { askAgainFromMs: Infinity, isBeingReviewed: true });
    // In the queue the review counts as one of a caller that uses the token.
    const connection = { address: state?.address ?? '', isClosed: () => false };
    this.askOnce(token, verdict, connection)?.catch(() => {});
  }

  private async askAndKeep(token: string, verdict: Verdict, callers: CallerConnection): Promise<void> {
    const { clock, periodMs, ask } = this.context;
    const askedMs = clock.monotonicMs();
    try {
      await ask(token, verdict, callers);
    } catch (error) {
      if (error instanceof InvalidTokenError)
        this.keep(token, { untilMs: askedMs + periodMs, rejection: error });
      else if (this.mayReuseLastAnswer(error)) return this.reuseLastAnswer(token);
      throw error;
    }
    const tookMs = clock.monotonicMs() - askedMs;
    const leadMs = Math.min(LEAD_PER_REVIEW_TIME * tookMs, MAX_LEAD_SHARE * periodMs);
    const stepMs = periodMs / STEPS_PER_PERIOD;
    // The last whole step that ends before the lead starts.
    const delayMs = Math.max(0, Math.ceil((periodMs - tookMs - leadMs) / stepMs) - 1) * stepMs;
    const askAgainFromMs = clock.monotonicMs() + delayMs;
    const cancel = clock.schedule(delayMs, () => {
      // No review for a token that is not in use or has expired.
      if (this.accepted.peek(token)?.address === undefined || clock.wallMs() >= verdict.validUntilMs) return;
      this.askInBackground(token, verdict);
    });
    this.keep(token, { untilMs: askedMs + periodMs, askAgainFromMs, cancel });
  }

  /**
   * Only during an outage of the API server. A missing right, a rejected or unreadable own credential, an overload, or a
   * caller that has disconnected is not one.
   */
  private mayReuseLastAnswer(error: unknown): boolean {
    return (
      this.context.whenUnavailable === 'accept-until-expiry' &&
      error instanceof OutageError &&
      !(error instanceof OwnCredentialUnreadableError)
    );
  }

  /** Uses the last answer again: a token that was rejected stays rejected. Without an answer, the token is accepted. */
  private reuseLastAnswer(token: string): void {
    const { clock, periodMs, random = Math.random } = this.context;
    const { rejection } = this.rejected.peek(token) ?? {};
    const share = MIN_RETRY_SHARE + (1 - MIN_RETRY_SHARE) * random();
    this.keep(token, {
      untilMs: clock.monotonicMs() + share * Math.min(MAX_RETRY_PERIOD_MS, periodMs),
      rejection,
    });
    if (rejection) throw toInvalidTokenError(rejection);
  }

  private keep(token: string, given: Pick<TokenState, 'untilMs'> & Partial<TokenState>): void {
    const { untilMs, rejection, askAgainFromMs = Infinity, cancel = () => {} } = given;
    if (this.isClosed) return cancel();
    const state = { token, untilMs, askAgainFromMs, cancel, wasUsed: false };
    if (rejection) {
      this.accepted.delete(token);
      this.rejected.set({ ...state, rejection: toRejection(rejection) });
    } else {
      this.rejected.delete(token);
      this.accepted.set(state);
    }
  }
}

function createStore(): TokenMap<TokenState> {
  return new TokenMap({ maxTokens: MAX_TOKENS, onDrop: (state) => state.cancel() });
}
