import { type Clock } from '../util/clock.js';
import { describeError, type Log, OncePerMinute } from '../util/log.js';
import { PlainError } from '../util/plain-error.js';
import { Refreshed } from '../util/refreshed.js';
import { type Deadline, settleBefore } from '../util/timers.js';
import { type TlsSettings } from './tls-source.js';

// A CA is replaced with weeks of overlap, so a long period is enough for a long-lived process.
const RELOAD_PERIOD_MS = 10 * 60_000;
// Limits the reads while the peer's certificate is not trusted: every request would read the files.
const MIN_RELOAD_PERIOD_MS = 60_000;
// While the other side refuses our certificate. As often as a token file is read then.
const MIN_RENEWAL_PERIOD_MS = 500;

/** The TLS settings of a connection, and how to read them again. */
export interface ReloadableTls {
  /** The peer whose certificate is checked, as a text for the log, such as `the API server`. */
  readonly of: string;
  /** The option that names the CA to trust, for error messages. */
  readonly caOption?: string;
  readonly tls: TlsSettings;
  readTls(): Promise<TlsSettings>;
  /** The client certificate, if it does not come from a file. `readTls` is called again when this returns another object. */
  clientCertificate?(): object | undefined;
}

/**
 * Reads certificate files again every 10 minutes while requests are sent, and when the peer's certificate is not
 * trusted. If the files are unusable, the last good settings stay in use.
 * @internal
 */
export class TlsFiles {
  // `#private`, so that `inspect` does not show a client key.
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
          // Set only now, because requests wait until the settings contain the new certificate.
          this.#clientCertificate = certificate;
          if (JSON.stringify(next) === JSON.stringify(last)) return last ?? next;
          log.log({ message: `certificates for ${files.of} have changed` });
          return next;
        },
        onFailure: (error) => {
          const message = `certificates for ${files.of} cannot be reloaded, the last good ones are used: ${describeError(error)}`;
          onceAMinute.run('reload', () => log.warn({ message }));
          return undefined;
        },
      },
      files.tls,
    );
  }

  /** The current settings. Another object is returned after the files have changed. */
  get settings(): TlsSettings {
    return this.#refreshed.last ?? this.#files.tls;
  }

  /**
   * Must be called before each request.
   * @returns a promise if the request must wait for a new client certificate. A request does not wait for a new CA.
   */
  follow(deadline: Deadline): Promise<void> | undefined {
    if (this.#files.clientCertificate?.() !== this.#clientCertificate) {
      return settleBefore(deadline, this.#refreshed.refresh());
    }
    if (this.#refreshed.ageMs >= RELOAD_PERIOD_MS) void this.#refreshed.refresh();
    return undefined;
  }

  /**
   * Must be called after a request that failed because the peer was not trusted.
   * @param used the settings of that request
   * @returns whether the settings differ now, also if another request has reloaded them
   */
  async reload(used: TlsSettings, deadline: Deadline): Promise<boolean> {
    if (used === this.settings) await settleBefore(deadline, this.#refreshed.refreshIfDue());
    return used !== this.settings;
  }

  /**
   * After a request whose other side has refused our client certificate.
   * @returns whether there are other settings than those that were used
   */
  async renew(used: TlsSettings, deadline: Deadline): Promise<boolean> {
    if (used.cert === undefined) return false;
    const nowMs = this.#clock.monotonicMs();
    if (used !== this.settings || nowMs - this.#renewedMs < MIN_RENEWAL_PERIOD_MS) {
      return this.reload(used, deadline);
    }
    this.#renewedMs = nowMs;
    await settleBefore(deadline, this.#refreshed.refresh());
    return used !== this.settings;
  }
}

// OpenSSL's reasons under Node's names (X509_V_ERR_…), and Node's own code for a host name that does not match.
const TRUST_FAILURE =
  /^(?:UNABLE_TO_|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)/;

// The failures that another CA can fix: not a wrong host name, and not an expired certificate.
const UNKNOWN_CA = /^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|INVALID_CA|CERT_UNTRUSTED)/;

/** Adds the option that names the CA to the message, if the CA is unknown. @internal */
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
