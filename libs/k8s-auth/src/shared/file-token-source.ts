import { type K8sAuthErrorCode, TokenSourceError } from '../errors/index.js';
import { type Clock } from './clock.js';
import { acceptToken, hasExpired, type HeldToken } from './held-token.js';
import { describeError, type Log } from './log.js';
import { OncePerMinute } from './once-per-minute.js';
import { SingleFlight } from './single-flight.js';
import { readTokenFile } from './token-file.js';
import { type TokenSource } from './token-source.js';

// The kubelet replaces a file at 80 % of the token's life and looks about once a minute; client-go re-reads as often.
const READ_PERIOD_MS = 60_000;
// Near the token's end the next one has to be there any moment, and after a bad read the file may be whole again.
const HURRIED_READ_PERIOD_MS = 5_000;
const SHORT_REMAINDER_MS = 60_000;
const LATE_SHARE_OF_LIFE = 1 / 5;

export interface FileTokenSourceOptions {
  readonly file: string;
  /** What the token's `aud` has to include; not looked at when omitted. */
  readonly audience?: string;
  /** Whether the token may be of another form than a JWT. @default false */
  readonly mayBeOpaque?: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** @default readTokenFile */
  readonly read?: typeof readTokenFile;
}

/** For readiness; holds no token text. */
export interface TokenSourceState {
  /** There is a token that has not expired. */
  readonly hasToken: boolean;
  /** What was wrong at the last read, or `…_EXPIRED`. */
  readonly trouble?: K8sAuthErrorCode;
  /** `exp` of the token in memory, milliseconds since the epoch; absent for tokens without. */
  readonly expiresAtMs?: number;
  /** How long ago the file was last read, well or not. */
  readonly lastReadAgeMs?: number;
}

/**
 * The token of a file that is replaced under way. Input: a path; output: its token, never older than 60 s, never past
 * its `exp`. Reads happen when the token is asked for, not on a timer, and all who wait share one.
 *
 * What the file holds is the truth, an older token included. A bad read (missing, empty, cut off, no JWT, another
 * `aud`, expired) changes nothing: the last good token stays until its own `exp` (wall clock), and the file is tried
 * again at most every 5 s (monotonic clock, so that a jump of the wall clock neither stops nor floods the reads).
 * @internal
 */
export class FileTokenSource implements TokenSource {
  private readonly reads = new SingleFlight<'read', void>();
  private readonly onceAMinute: OncePerMinute;
  private held?: HeldToken;
  private failure?: TokenSourceError;
  private failureWasLogged = false;
  private lastReadMs?: number;

  constructor(private readonly options: FileTokenSourceOptions) {
    this.onceAMinute = new OncePerMinute(options.clock);
  }

  current(): string | undefined {
    return this.isReadDue() ? undefined : this.unexpiredToken();
  }

  async getToken(): Promise<string> {
    if (this.isReadDue()) await this.read();
    const token = this.unexpiredToken();
    if (token === undefined) throw this.whyThereIsNone();
    return token;
  }

  async renew(rejected: string): Promise<string | undefined> {
    const known = this.current();
    if (known !== undefined && known !== rejected) return known;
    await this.read();
    const token = this.unexpiredToken();
    return token === rejected ? undefined : token;
  }

  state(): TokenSourceState {
    const { held, failure, lastReadMs } = this;
    const hasToken = this.unexpiredToken() !== undefined;
    const trouble = failure?.code ?? (held && !hasToken ? 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED' : undefined);
    return {
      hasToken,
      ...(trouble && { trouble }),
      ...(held?.expiresAtMs !== undefined && { expiresAtMs: held.expiresAtMs }),
      ...(lastReadMs !== undefined && { lastReadAgeMs: this.options.clock.monotonicMs() - lastReadMs }),
    };
  }

  private isReadDue(): boolean {
    if (this.lastReadMs === undefined) return true;
    const isHurried = this.failure !== undefined || this.isNearItsEnd();
    const periodMs = isHurried ? HURRIED_READ_PERIOD_MS : READ_PERIOD_MS;
    return this.options.clock.monotonicMs() - this.lastReadMs >= periodMs;
  }

  private isNearItsEnd(): boolean {
    const { expiresAtMs, lifeMs = 0 } = this.held ?? {};
    if (expiresAtMs === undefined) return false;
    const leftMs = expiresAtMs - this.options.clock.wallMs();
    return leftMs <= Math.max(SHORT_REMAINDER_MS, lifeMs * LATE_SHARE_OF_LIFE);
  }

  private unexpiredToken(): string | undefined {
    const { held } = this;
    return held && !hasExpired(held, this.options.clock) ? held.token : undefined;
  }

  private read(): Promise<void> {
    return this.reads.run('read', async () => {
      const { file, mayBeOpaque, clock, read = readTokenFile } = this.options;
      // The content is as old as the start of the read, however long the disk takes.
      const startedMs = clock.monotonicMs();
      try {
        this.held = acceptToken(await read(file, mayBeOpaque), this.held, this.options);
        this.noteGoodRead();
      } catch (error) {
        if (!(error instanceof TokenSourceError)) throw error;
        this.noteBadRead(error);
      }
      this.lastReadMs = startedMs;
    });
  }

  private noteGoodRead(): void {
    this.failure = undefined;
    if (!this.failureWasLogged) return;
    this.failureWasLogged = false;
    const { file, log } = this.options;
    log.log({ message: 'token file can be used again', file });
  }

  private noteBadRead(failure: TokenSourceError): void {
    this.failure = failure;
    const { file, log } = this.options;
    this.onceAMinute.run('bad read', () => {
      this.failureWasLogged = true;
      log.warn({ message: describeError(failure), code: failure.code, file });
    });
  }

  /** A fresh error each time: callers share the reason, not a stack that each of them may add to. */
  private whyThereIsNone(): TokenSourceError {
    const { failure, held } = this;
    const { file } = this.options;
    if (failure && (!held || failure.trouble === 'EXPIRED')) {
      return new TokenSourceError(failure.trouble, file, failure.message, { cause: failure.cause });
    }
    return new TokenSourceError('EXPIRED', file, `token last read from ${file} has expired`, {
      cause: failure,
    });
  }
}
