import { type TokenSourceError } from '../errors.js';
import { type EventSink } from '../events/k8s-auth.events.js';
import { type Clock } from '../util/clock.js';
import { describeError, type Log, OncePerMinute } from '../util/log.js';
import { type HeldToken } from './token-file.js';

/** The file that is reported on, and where its reports go. */
interface ReportContext {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EventSink | undefined;
}

/**
 * Tells the log and the listeners what the reads of one token file have found. It keeps no token, and no report contains
 * token text.
 * @internal
 */
export class TokenFileReports {
  readonly #context: ReportContext;
  readonly #onceAMinute: OncePerMinute;
  #failureWasLogged = false;

  constructor(context: ReportContext) {
    this.#context = context;
    this.#onceAMinute = new OncePerMinute(context.clock);
  }

  noteRotation(replaced: HeldToken, { expiresAtMs }: HeldToken): void {
    const { file, events } = this.#context;
    if (!events?.hears('onTokenRotated')) return;
    events.emit('onTokenRotated', {
      tokenFile: file,
      ...(expiresAtMs !== undefined && { expiresAtMs }),
      ...(replaced.expiresAtMs !== undefined && { previousExpiresAtMs: replaced.expiresAtMs }),
    });
  }

  noteGoodRead(): void {
    const { file, log } = this.#context;
    if (this.#failureWasLogged) log.log({ message: 'token file is usable again', file });
    this.#failureWasLogged = false;
  }

  noteBadRead(failure: TokenSourceError): void {
    const { file, log } = this.#context;
    this.#onceAMinute.run('bad read', () => {
      this.#failureWasLogged = true;
      log.warn({ message: describeError(failure), code: failure.code, file });
    });
  }
}
