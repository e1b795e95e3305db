import { type K8sAuthErrorCode, TokenSourceError } from '../errors.js';
import { type EventSink } from '../events/k8s-auth.events.js';
import { type Clock } from '../util/clock.js';
import {
  acceptToken,
  hasExpired,
  type HeldToken,
  isNearExpiry,
  MIN_READ_PERIOD_MS,
  readTokenFile,
  type TokenFileVersion,
  versionOfTokenFile,
} from './token-file.js';
import { type Log } from '../util/log.js';
import { SingleFlight } from '../util/timers.js';
import { TokenFileReports } from './token-file-reports.js';

// The kubelet replaces a file at 80 % of the token's lifetime and checks about once a minute. client-go uses this period too.
const READ_PERIOD_MS = 60_000;
// Near the token's expiry, and after a failed read.
const SHORT_READ_PERIOD_MS = 5_000;

export interface FileTokenSourceOptions {
  readonly file: string;
  /** The audience that `aud` must include. Omitted: `aud` is not checked. */
  readonly audience?: string;
  /** Whether the token may have another form than a JWT. @default false */
  readonly mayBeOpaque?: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Gets an event when the file contains another token. */
  readonly events?: EventSink | undefined;
  readonly read?: typeof readTokenFile;
}

/** The state of a token file, for readiness. Contains no token text. */
export interface TokenSourceState {
  /** Whether there is a token that has not expired. */
  readonly hasToken: boolean;
  /** The error code of the last read, or `…_EXPIRED`. Omitted if the last read succeeded and the token has not expired. */
  readonly code?: K8sAuthErrorCode;
  /** @deprecated use `code` */ readonly trouble?: K8sAuthErrorCode;
  /** `exp` of the token in memory, milliseconds since the epoch. Omitted for a token without `exp`. */
  readonly expiresAtMs?: number;
  /** Time since the last read of the file, successful or not, milliseconds. */
  readonly lastReadAgeMs?: number;
  /** Time since the file was written, by its last read and the wall clock, milliseconds. Omitted if there is no file. */
  readonly fileAgeMs?: number;
}

/**
 * The token in a file that is replaced while the service runs. It returns a token that was read at most 60 s ago and has
 * not expired. The file is read when a caller asks for the token, not on a timer. Concurrent callers share one read.
 *
 * - The file is authoritative, even if it contains an older token than before.
 * - A failed read (missing, empty, truncated, not a JWT, another `aud`, expired) does not replace the last good token. It
 *   is used until its `exp` (wall clock), or, without `exp`, until 60 s after the last successful read. The file is read
 *   again at most every 5 s (monotonic clock, so that a jump of the wall clock neither stops nor multiplies the reads).
 * - After a token was rejected, or has expired in memory, the file is checked at once: it is read immediately if it was
 *   replaced, and otherwise at most every 500 ms.
 *
 * All fields are `#private`, so that no log of this object, or of an object that refers to it, shows the token.
 * @internal
 */
export class FileTokenSource {
  readonly #options: FileTokenSourceOptions;
  readonly #reads = new SingleFlight<'read', void>();
  readonly #reports: TokenFileReports;
  #held?: HeldToken;
  #failure?: TokenSourceError;
  #lastReadMs?: number;
  #goodReadMs = -Infinity;
  #lastVersion?: TokenFileVersion;

  constructor(options: FileTokenSourceOptions) {
    this.#options = options;
    this.#reports = new TokenFileReports(options);
  }

  /** The token, if no read is due. Synchronous, for the hot path. `undefined`: call {@link getToken}. */
  current(): string | undefined {
    return this.#isReadDue() ? undefined : this.#unexpiredToken();
  }

  /**
   * The token. Reads the file first if that is due.
   * @throws {TokenSourceError} there is no token, or it has expired
   */
  async getToken(): Promise<string> {
    if (this.#isReadDue()) await this.#read();
    // While a machine is suspended only the wall clock advances, so the token can expire before the next read is due.
    else if (this.#held && this.#unexpiredToken() === undefined) await this.#readIfReplaced();
    const token = this.#unexpiredToken();
    if (token === undefined) throw this.#createMissingTokenError();
    return token;
  }

  /**
   * Checks the file at once, because a request with the token `rejected` was answered with 401. Concurrent calls share one
   * read.
   * @returns a token that differs from the rejected one, or `undefined` if there is none
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
    const writtenMs = this.#lastVersion?.writtenMs;
    const hasToken = this.#unexpiredToken() !== undefined;
    const code =
      this.#failure?.code ?? (this.#held && !hasToken ? 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED' : undefined);
    return {
      hasToken,
      ...(code && { code, trouble: code }),
      ...(expiresAtMs !== undefined && { expiresAtMs }),
      ...(lastReadMs !== undefined && { lastReadAgeMs: this.#options.clock.monotonicMs() - lastReadMs }),
      ...(writtenMs !== undefined && { fileAgeMs: Math.max(0, this.#options.clock.wallMs() - writtenMs) }),
    };
  }

  /** Whether the last token that was read is issued for the Kubernetes API. */
  isForApiServer(): boolean {
    return this.#held?.isForApiServer ?? false;
  }

  #isReadDue(): boolean {
    const isUrgent = this.#failure !== undefined || isNearExpiry(this.#held, this.#options.clock);
    return this.#lastReadAgeMs() >= (isUrgent ? SHORT_READ_PERIOD_MS : READ_PERIOD_MS);
  }

  /** Infinity before the first read. */
  #lastReadAgeMs(): number {
    return this.#options.clock.monotonicMs() - (this.#lastReadMs ?? -Infinity);
  }

  #unexpiredToken(): string | undefined {
    const { clock } = this.#options;
    const held = this.#held;
    if (!held || hasExpired(held, clock)) return undefined;
    // Only the file shows that a token without "exp" is still valid.
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
      if (version.id !== this.#lastVersion?.id || this.#lastReadAgeMs() >= MIN_READ_PERIOD_MS) {
        await this.#readVersion(version);
      }
    });
  }

  async #readVersion(version: TokenFileVersion): Promise<void> {
    const { file, mayBeOpaque, clock, read = readTokenFile } = this.#options;
    // The age counts from the start of the read, because the content may be that old.
    const startedMs = clock.monotonicMs();
    try {
      const replaced = this.#held;
      this.#held = acceptToken(await read(file, mayBeOpaque), replaced, this.#options);
      if (replaced && replaced !== this.#held) this.#reports.noteRotation(replaced, this.#held);
      this.#goodReadMs = startedMs;
      this.#failure = undefined;
      this.#reports.noteGoodRead();
    } catch (error) {
      if (!(error instanceof TokenSourceError)) throw error;
      this.#failure = error;
      this.#reports.noteBadRead(error);
    }
    this.#lastReadMs = startedMs;
    this.#lastVersion = version;
  }

  /** Creates a new error for each caller, so that callers do not share a stack. */
  #createMissingTokenError(): TokenSourceError {
    const failure = this.#failure;
    const { file } = this.#options;
    if (failure && (this.#held?.expiresAtMs === undefined || failure.reason === 'EXPIRED')) {
      return new TokenSourceError(failure.reason, file, failure.message, { cause: failure.cause });
    }
    const message = `the last token that was read from ${file} has expired`;
    return new TokenSourceError('EXPIRED', file, message, { cause: failure });
  }
}
