import { type Clock } from '../util/clock.js';
import { describeError, type Log, OncePerMinute } from '../util/log.js';
import { PlainError } from '../util/plain-error.js';
import { Refreshed } from '../util/refreshed.js';
import { within } from '../util/timers.js';
import { type TlsSettings } from './tls-source.js';

// A CA is replaced with weeks of overlap, but a long-lived process must see it one day.
const RELOAD_PERIOD_MS = 10 * 60_000;
// While the other side's certificate is wrong every request would read the files.
const MIN_RELOAD_PERIOD_MS = 60_000;
// While the other side refuses our certificate. As often as a token file is read then.
const MIN_RENEWAL_PERIOD_MS = 500;

/** The TLS settings of a connection, as they are and as they may become. */
export interface ReloadableTls {
  /** Whose certificate is checked with them, for the log. */
  readonly of: string;
  /** Names the CA to trust, for errors. */
  readonly caOption?: string;
  readonly tls: TlsSettings;
  readTls(): Promise<TlsSettings>;
  /** What `readTls` gives besides files: it is called again as soon as this is another object. */
  clientCertificate?(): object | undefined;
}

/**
 * Follows certificate files: they are read again every 10 minutes while requests are sent, and when the other side's
 * certificate is not trusted. Unusable files change nothing.
 * @internal
 */
export class TlsFiles {
  // Private to the language: a client key is not for `inspect`.
  readonly #files: ReloadableTls;
  readonly #refreshed: Refreshed<TlsSettings>;
  readonly #clock: Clock;
  #renewedMs = -Infinity;
  #clientCertificate?: object | undefined;

  constructor(files: ReloadableTls, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#files = files;
    this.#clock = clock;
    const onceAMinute = new OncePerMinute(clock);
    this.#refreshed = new Refreshed<TlsSettings>(
      {
        clock,
        policy: { periodMs: RELOAD_PERIOD_MS, cooldownMs: MIN_RELOAD_PERIOD_MS },
        fetch: async (_deadline, last) => {
          const certificate = files.clientCertificate?.();
          const next = await files.readTls();
          // Not before: until the settings have it, requests wait for it.
          this.#clientCertificate = certificate;
          if (JSON.stringify(next) === JSON.stringify(last)) return last ?? next;
          log.log({ message: `certificates for ${files.of} have changed` });
          return next;
        },
        onFailure: (error) => {
          const message = `certificates for ${files.of} stay as they were: ${describeError(error)}`;
          onceAMinute.run('reload', () => log.warn({ message }));
          return undefined;
        },
      },
      files.tls,
    );
  }

  /** Another object once the files have changed. */
  get settings(): TlsSettings {
    return this.#refreshed.last ?? this.#files.tls;
  }

  /**
   * Called before each request.
   * @returns what the request has to wait for: a new client certificate, but not a new CA
   */
  follow(signal: AbortSignal): Promise<void> | undefined {
    if (this.#files.clientCertificate?.() !== this.#clientCertificate) {
      return within(signal, this.#refreshed.refresh());
    }
    if (this.#refreshed.ageMs >= RELOAD_PERIOD_MS) void this.#refreshed.refresh();
    return undefined;
  }

  /**
   * After a request whose other side was not trusted.
   * @returns whether there are other settings than those that were used, also when another request has reloaded them
   */
  async reload(used: TlsSettings, signal: AbortSignal): Promise<boolean> {
    if (used === this.settings) await within(signal, this.#refreshed.refreshIfDue());
    return used !== this.settings;
  }

  /**
   * After a request whose other side has refused our client certificate.
   * @returns whether there are other settings than those that were used
   */
  async renew(used: TlsSettings, signal: AbortSignal): Promise<boolean> {
    if (used.cert === undefined) return false;
    const nowMs = this.#clock.monotonicMs();
    if (used !== this.settings || nowMs - this.#renewedMs < MIN_RENEWAL_PERIOD_MS) {
      return this.reload(used, signal);
    }
    this.#renewedMs = nowMs;
    await within(signal, this.#refreshed.refresh());
    return used !== this.settings;
  }
}

// OpenSSL's reasons, as Node names them (X509_V_ERR_…), and Node's own for a name that does not fit.
const TRUST_FAILURE =
  /^(?:UNABLE_TO_|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)/;

// Those that another CA mends: not a wrong name, and not a certificate that has expired.
const UNKNOWN_CA = /^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|INVALID_CA|CERT_UNTRUSTED)/;

/** The same error, with the option that names the CA where that is what is missing. @internal */
export function withCaHint(error: Error, caOption: string | undefined): Error {
  const { code } = error as { code?: unknown };
  if (caOption === undefined || typeof code !== 'string' || !UNKNOWN_CA.test(code)) return error;
  return new PlainError(error.name, `${error.message}; option '${caOption}' names the CA to trust`, code);
}

/** @internal */
export function isTrustFailure(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && TRUST_FAILURE.test(code);
}
