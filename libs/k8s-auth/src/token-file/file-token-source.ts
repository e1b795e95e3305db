import { type K8sAuthErrorCode, TokenSourceError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import {
  acceptToken,
  hasExpired,
  type HeldToken,
  isNearItsEnd,
  MIN_READ_PERIOD_MS,
  readTokenFile,
  versionOfTokenFile,
} from './token-file.js';
import { describeError, type Log, OncePerMinute } from '../util/log.js';
import { SingleFlight } from '../util/single-flight.js';

// The kubelet replaces a file at 80 % of the token's life and looks about once a minute; client-go re-reads as often.
const READ_PERIOD_MS = 60_000;
// Near the token's end the next one has to be there any moment, and after a bad read the file may be whole again.
const HURRIED_READ_PERIOD_MS = 5_000;

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
 * `aud`, expired) changes nothing: the last good token stays until its own `exp` (wall clock), one without `exp` until
 * 60 s after the last good read, and the file is tried again at most every 5 s (monotonic clock, so that a jump of the
 * wall clock neither stops nor floods the reads).
 *
 * A token that was refused, or has expired in memory, is worth a look at once: a file that was replaced is read again
 * immediately, one that was not at most every 500 ms.
 *
 * All that it knows is private, so that no log of it, or of what holds it, shows the token.
 * @internal
 */
export class FileTokenSource {
  readonly #options: FileTokenSourceOptions;
  readonly #reads = new SingleFlight<'read', void>();
  readonly #onceAMinute: OncePerMinute;
  #held?: HeldToken;
  #failure?: TokenSourceError;
  #failureWasLogged = false;
  #lastReadMs?: number;
  #goodReadMs = -Infinity;
  #lastVersion?: string;

  constructor(options: FileTokenSourceOptions) {
    this.#options = options;
    this.#onceAMinute = new OncePerMinute(options.clock);
  }

  /** The token if it can be used as it is, without waiting: the hot path. `undefined`: ask {@link getToken}. */
  current(): string | undefined {
    return this.#isReadDue() ? undefined : this.#unexpiredToken();
  }

  /**
   * The token, after reading the file where that is due.
   * @throws {TokenSourceError} there is none, or none that has not expired
   */
  async getToken(): Promise<string> {
    if (this.#isReadDue()) await this.#read();
    // A suspended machine moves on the wall clock alone: the token expires before its next read is due.
    else if (this.#held && this.#unexpiredToken() === undefined) await this.#readIfReplaced();
    const token = this.#unexpiredToken();
    if (token === undefined) throw this.#whyThereIsNone();
    return token;
  }

  /**
   * Reads the file at once, because `rejected` was answered with 401. Concurrent calls share one read.
   * @returns another token than the rejected one, or `undefined` if the file holds no other
   */
  async renew(rejected: string): Promise<string | undefined> {
    const known = this.current();
    if (known !== undefined && known !== rejected) return known;
    await this.#readIfReplaced();
    const token = this.#unexpiredToken();
    return token === rejected ? undefined : token;
  }

  state(): TokenSourceState {
    const expiresAtMs = this.#held?.expiresAtMs;
    const lastReadMs = this.#lastReadMs;
    const hasToken = this.#unexpiredToken() !== undefined;
    const trouble =
      this.#failure?.code ?? (this.#held && !hasToken ? 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED' : undefined);
    return {
      hasToken,
      ...(trouble && { trouble }),
      ...(expiresAtMs !== undefined && { expiresAtMs }),
      ...(lastReadMs !== undefined && { lastReadAgeMs: this.#options.clock.monotonicMs() - lastReadMs }),
    };
  }

  /** Whether the token that was last read is one for the Kubernetes API. */
  isForApiServer(): boolean {
    return this.#held?.isForApiServer ?? false;
  }

  #isReadDue(): boolean {
    const isHurried = this.#failure !== undefined || isNearItsEnd(this.#held, this.#options.clock);
    return this.#lastReadAgeMs() >= (isHurried ? HURRIED_READ_PERIOD_MS : READ_PERIOD_MS);
  }

  /** Infinite before the first read. */
  #lastReadAgeMs(): number {
    return this.#options.clock.monotonicMs() - (this.#lastReadMs ?? -Infinity);
  }

  #unexpiredToken(): string | undefined {
    const { clock } = this.#options;
    const held = this.#held;
    if (!held || hasExpired(held, clock)) return undefined;
    // Without an "exp" nothing but its file tells that a token is still good.
    const isStale = held.expiresAtMs === undefined && clock.monotonicMs() - this.#goodReadMs > READ_PERIOD_MS;
    return isStale ? undefined : held.token;
  }

  #read(): Promise<void> {
    return this.#reads.run('read', async () =>
      this.#readVersion(await versionOfTokenFile(this.#options.file)),
    );
  }

  #readIfReplaced(): Promise<void> {
    return this.#reads.run('read', async () => {
      const version = await versionOfTokenFile(this.#options.file);
      if (version !== this.#lastVersion || this.#lastReadAgeMs() >= MIN_READ_PERIOD_MS) {
        await this.#readVersion(version);
      }
    });
  }

  async #readVersion(version: string): Promise<void> {
    const { file, mayBeOpaque, clock, read = readTokenFile } = this.#options;
    // The content is as old as the start of the read, however long the disk takes.
    const startedMs = clock.monotonicMs();
    try {
      this.#held = acceptToken(await read(file, mayBeOpaque), this.#held, this.#options);
      this.#goodReadMs = startedMs;
      this.#noteGoodRead();
    } catch (error) {
      if (!(error instanceof TokenSourceError)) throw error;
      this.#noteBadRead(error);
    }
    this.#lastReadMs = startedMs;
    this.#lastVersion = version;
  }

  #noteGoodRead(): void {
    this.#failure = undefined;
    const { file, log } = this.#options;
    if (this.#failureWasLogged) log.log({ message: 'token file can be used again', file });
    this.#failureWasLogged = false;
  }

  #noteBadRead(failure: TokenSourceError): void {
    this.#failure = failure;
    const { file, log } = this.#options;
    this.#onceAMinute.run('bad read', () => {
      this.#failureWasLogged = true;
      log.warn({ message: describeError(failure), code: failure.code, file });
    });
  }

  /** A fresh error each time: callers share the reason, not a stack that each of them may add to. */
  #whyThereIsNone(): TokenSourceError {
    const failure = this.#failure;
    const { file } = this.#options;
    if (failure && (this.#held?.expiresAtMs === undefined || failure.trouble === 'EXPIRED')) {
      return new TokenSourceError(failure.trouble, file, failure.message, { cause: failure.cause });
    }
    const message = `token last read from ${file} has expired`;
    return new TokenSourceError('EXPIRED', file, message, { cause: failure });
  }
}
