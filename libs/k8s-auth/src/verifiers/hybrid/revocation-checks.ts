import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ReviewRightMissingError } from '../../api-server/token-review.client.js';
import { OwnCredentialRefusedError } from '../../api-server/own-credential.js';
import { InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import { type Clock } from '../../util/clock.js';
import { SharedWork } from '../shared-work.js';
import { type CallerConnection } from '../../api-server/fair-queue.js';

/** What to do with a correctly signed token while the API server cannot tell whether it was revoked. @publicApi */
export type WhenUnavailable = 'refuse' | 'accept-until-expiry';

// The state of one token takes less than 1 KB.
const MAX_TOKENS = 10_000;

// With 'accept-until-expiry': how often the API server is asked about one token while it is unreachable.
const RETRY_PERIOD_MS = 10_000;

// The next review starts this long before the last answer becomes too old: a little more than the time of the last review,
// so that the answer is there in time, but not much more, so that there is about one review per period.
const LEAD_PER_REVIEW_TIME = 1.2;
const MIN_LEAD_SHARE = 0.01;
const MAX_LEAD_SHARE = 0.25;

export interface RevocationChecksContext {
  readonly clock: Clock;
  /** How long an answer is used, milliseconds. */
  readonly periodMs: number;
  readonly whenUnavailable: WhenUnavailable;
}

/** Asks the API server whether a token was revoked. @throws {InvalidTokenError} it was revoked */
export type AskAboutToken = (connection?: CallerConnection) => Promise<void>;

/** The stored part of a rejection. The error itself is not stored, because it holds its stack and everything the stack refers to. */
type Rejection = Pick<InvalidTokenError, 'reason' | 'message'>;

/** The last answer about one token. */
interface TokenState {
  /** Omitted if the token is accepted. */
  readonly rejection?: Rejection | undefined;
  /** Monotonic time until which the answer is used, milliseconds. */
  readonly untilMs: number;
  /** Monotonic time from which a use of the token starts the next review, milliseconds. */
  askAgainFromMs: number;
  wasUsed: boolean;
  /** Cancels the timer for the next review. */
  readonly cancel: () => void;
}

/**
 * Caches the API server's answers about tokens. An answer is used for one period, which starts when the API server is
 * asked.
 *
 * - The first use of a token waits for the answer; concurrent uses share it. While the token is in use, the next review
 *   starts shortly before the last answer becomes too old, so that no request waits for it.
 * - A rejection is also used for one period, and the API server is not asked again before its end.
 * - Keyed by an HMAC-SHA-256 of the token with a random key: no token text is kept.
 * @internal
 */
export class RevocationChecks {
  readonly #secret = randomBytes(32);
  private readonly states = new LRUCache<string, TokenState>({
    max: MAX_TOKENS,
    dispose: (state) => state.cancel(),
  });
  private readonly asking = new SharedWork<void>();
  private isClosed = false;

  constructor(private readonly context: RevocationChecksContext) {}

  /**
   * @param validUntilMs the token's expiry on the wall clock; the API server is not asked after it
   * @returns synchronously while the last answer is not too old
   * @throws {InvalidTokenError} the token was revoked
   * @throws {VerifierUnavailableError} the API server did not answer
   */
  check(
    token: string,
    validUntilMs: number,
    ask: AskAboutToken,
    connection: CallerConnection | undefined,
  ): void | Promise<void> {
    const key = createHmac('sha256', this.#secret).update(token).digest('base64');
    const state = this.states.get(key);
    const nowMs = this.context.clock.monotonicMs();
    if (!state || nowMs >= state.untilMs) return this.askOnce(key, validUntilMs, ask, connection);
    state.wasUsed = true;
    if (nowMs >= state.askAgainFromMs) this.askInBackground(key, validUntilMs, ask);
    if (state.rejection) throw toError(state.rejection);
  }

  /** Deletes all answers and cancels all timers. */
  close(): void {
    this.isClosed = true;
    this.states.clear();
  }

  private askOnce(
    key: string,
    validUntilMs: number,
    ask: AskAboutToken,
    connection?: CallerConnection,
  ): Promise<void> {
    return this.asking.run(key, connection, (callers) => this.askAndKeep(key, validUntilMs, ask, callers));
  }

  /** An error is ignored here: the next use of the token after the last answer is too old asks again, and gets the error. */
  private askInBackground(key: string, validUntilMs: number, ask: AskAboutToken): void {
    const state = this.states.peek(key);
    if (state) state.askAgainFromMs = Infinity;
    this.askOnce(key, validUntilMs, ask).catch(() => {});
  }

  private async askAndKeep(
    key: string,
    validUntilMs: number,
    ask: AskAboutToken,
    callers: CallerConnection,
  ): Promise<void> {
    const { clock, periodMs } = this.context;
    const askedMs = clock.monotonicMs();
    try {
      await ask(callers);
    } catch (error) {
      if (error instanceof InvalidTokenError)
        this.keep(key, { untilMs: askedMs + periodMs, rejection: error });
      else if (this.mayReuseLastAnswer(error)) return this.reuseLastAnswer(key);
      throw error;
    }
    const tookMs = clock.monotonicMs() - askedMs;
    const leadMs = Math.min(
      LEAD_PER_REVIEW_TIME * tookMs + MIN_LEAD_SHARE * periodMs,
      MAX_LEAD_SHARE * periodMs,
    );
    const askAgainFromMs = askedMs + periodMs - leadMs;
    const cancel = clock.schedule(Math.max(0, askAgainFromMs - clock.monotonicMs()), () => {
      // No review for a token that is not in use or has expired.
      if (!this.states.peek(key)?.wasUsed || clock.wallMs() >= validUntilMs) return;
      this.askInBackground(key, validUntilMs, ask);
    });
    this.keep(key, { untilMs: askedMs + periodMs, askAgainFromMs, cancel });
  }

  /** Only during an outage. A missing right or a rejected own credential is not an outage: it lasts until somebody fixes it. */
  private mayReuseLastAnswer(error: unknown): boolean {
    return (
      this.context.whenUnavailable === 'accept-until-expiry' &&
      error instanceof VerifierUnavailableError &&
      !(error instanceof ReviewRightMissingError || error instanceof OwnCredentialRefusedError)
    );
  }

  /** Uses the last answer again: a token that was rejected stays rejected. Without an answer, the token is accepted. */
  private reuseLastAnswer(key: string): void {
    const { clock, periodMs } = this.context;
    const { rejection } = this.states.peek(key) ?? {};
    this.keep(key, { untilMs: clock.monotonicMs() + Math.min(RETRY_PERIOD_MS, periodMs), rejection });
    if (rejection) throw toError(rejection);
  }

  private keep(key: string, given: Pick<TokenState, 'untilMs'> & Partial<TokenState>): void {
    const { untilMs, rejection, askAgainFromMs = Infinity, cancel = () => {} } = given;
    if (this.isClosed) return cancel();
    const state = { untilMs, askAgainFromMs, wasUsed: false, cancel };
    this.states.set(key, rejection ? { ...state, rejection: withoutStack(rejection) } : state);
  }
}

function withoutStack({ reason, message }: Rejection): Rejection {
  return { reason, message };
}

function toError({ reason, message }: Rejection): InvalidTokenError {
  return new InvalidTokenError(reason, message);
}
