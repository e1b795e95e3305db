import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ReviewRightMissingError } from '../../api-server/token-review.client.js';
import { OwnCredentialRefusedError } from '../../api-server/own-credential.js';
import { InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import { type Clock } from '../../util/clock.js';
import { SharedWork } from '../shared-work.js';
import { type CallerConnection } from '../../api-server/fair-queue.js';

/** What to do with a genuine token while the API server cannot say whether it still stands. @publicApi */
export type WhenUnavailable = 'refuse' | 'accept-until-expiry';

// One takes less than 1 KB.
const MAX_TOKENS = 10_000;

// With 'accept-until-expiry', how often one token is asked about while there is no answer.
const ASK_AGAIN_MS = 10_000;

// How long before the last answer becomes too old the next one is asked for: a little more than the last one took, so
// that it is there in time, and no more, so that the number of reviews stays near one per period.
const LEAD_PER_REVIEW_TIME = 1.2;
const MIN_LEAD_SHARE = 0.01;
const MAX_LEAD_SHARE = 0.25;

export interface RevocationChecksContext {
  readonly clock: Clock;
  /** How long an answer is used, milliseconds. */
  readonly periodMs: number;
  readonly whenUnavailable: WhenUnavailable;
}

/** Has the API server say whether a token still stands. @throws {InvalidTokenError} it does not */
export type AskAboutToken = (connection?: CallerConnection) => Promise<void>;

/** What is kept of a refusal: the error itself would hold its stack, and all that it refers to. */
type Refusal = Pick<InvalidTokenError, 'reason' | 'message'>;

/** What is known of one token. */
interface TokenState {
  /** Omitted: it stands. */
  readonly refusal?: Refusal | undefined;
  /** Monotonic, milliseconds: this is used until then. */
  readonly untilMs: number;
  /** Monotonic, milliseconds: from then on, whoever uses the token has the next answer asked for. */
  askAgainFromMs: number;
  wasUsed: boolean;
  /** Ends the timer that asks for the next answer. */
  readonly cancel: () => void;
}

/**
 * Remembers what the API server has said about tokens, for one period from the moment when it was asked.
 *
 * - The first use of a token waits for the answer; concurrent ones share it. While the token is used, the next answer is
 *   asked for shortly before the last one becomes too old, so that no request waits for it.
 * - A refusal is remembered for a period too, and is not asked about again before.
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
   * @param validUntilMs wall clock: nobody asks about a token after its end
   * @returns synchronously while an answer is young enough
   * @throws {InvalidTokenError} the token was revoked
   * @throws {VerifierUnavailableError} nobody can tell now
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
    if (state.refusal) throw refused(state.refusal);
  }

  /** Forgets everything, and ends all timers. */
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

  /** A failure is not lost: whoever uses the token when the last answer is too old asks again. */
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
      if (error instanceof InvalidTokenError) this.keep(key, { untilMs: askedMs + periodMs, refusal: error });
      else if (this.mayGoOnWithout(error)) return this.goOnWithout(key);
      throw error;
    }
    const tookMs = clock.monotonicMs() - askedMs;
    const leadMs = Math.min(
      LEAD_PER_REVIEW_TIME * tookMs + MIN_LEAD_SHARE * periodMs,
      MAX_LEAD_SHARE * periodMs,
    );
    const askAgainFromMs = askedMs + periodMs - leadMs;
    const cancel = clock.schedule(Math.max(0, askAgainFromMs - clock.monotonicMs()), () => {
      // A token that nobody uses, or whose end has come, is not asked about.
      if (!this.states.peek(key)?.wasUsed || clock.wallMs() >= validUntilMs) return;
      this.askInBackground(key, validUntilMs, ask);
    });
    this.keep(key, { untilMs: askedMs + periodMs, askAgainFromMs, cancel });
  }

  /** What does not pass by itself is no outage: a right that is missing, or an own credential that is refused. */
  private mayGoOnWithout(error: unknown): boolean {
    return (
      this.context.whenUnavailable === 'accept-until-expiry' &&
      error instanceof VerifierUnavailableError &&
      !(error instanceof ReviewRightMissingError || error instanceof OwnCredentialRefusedError)
    );
  }

  /** The last answer goes on being used: a token that was refused stays refused. */
  private goOnWithout(key: string): void {
    const { clock, periodMs } = this.context;
    const { refusal } = this.states.peek(key) ?? {};
    this.keep(key, { untilMs: clock.monotonicMs() + Math.min(ASK_AGAIN_MS, periodMs), refusal });
    if (refusal) throw refused(refusal);
  }

  private keep(key: string, given: Pick<TokenState, 'untilMs'> & Partial<TokenState>): void {
    const { untilMs, refusal, askAgainFromMs = Infinity, cancel = () => {} } = given;
    if (this.isClosed) return cancel();
    const state = { untilMs, askAgainFromMs, wasUsed: false, cancel };
    this.states.set(key, refusal ? { ...state, refusal: withoutStack(refusal) } : state);
  }
}

function withoutStack({ reason, message }: Refusal): Refusal {
  return { reason, message };
}

function refused({ reason, message }: Refusal): InvalidTokenError {
  return new InvalidTokenError(reason, message);
}
