import { type Clock } from '../util/clock.js';
import { HttpsClient, type HttpsRequest, type HttpsResponse, type TlsSettings } from './https-client.js';
import { describeError, type Log } from '../util/log.js';
import { OncePerMinute } from '../util/once-per-minute.js';
import { SingleFlight } from '../util/single-flight.js';
import { within } from '../util/within.js';

// A CA is replaced with weeks of overlap, but a long-lived process must see it one day.
const RELOAD_PERIOD_MS = 10 * 60_000;
// While the other side's certificate is wrong every request would read the files.
const MIN_RELOAD_PERIOD_MS = 60_000;

/** The TLS settings of a connection, as they are and as they may become. */
export interface ReloadableTls {
  /** Whose certificate is checked with them, for the log. */
  readonly of: string;
  readonly tls: TlsSettings;
  readTls(): Promise<TlsSettings>;
  /** What `readTls` gives besides files: it is called again as soon as this is another object. */
  clientCertificate?(): object | undefined;
}

/**
 * An {@link HttpsClient} that follows its certificate files: they are read again every 10 minutes, and when the
 * other side's certificate is not trusted (then the request is tried once more, if they have changed). Requests under
 * way keep the connection they have; files that are not fit for use change nothing.
 * @internal
 */
export class ReloadingHttpsClient {
  // Private to the language: a client key and what was sent are not for `inspect`.
  readonly #files: ReloadableTls;
  readonly #client: HttpsClient;
  #current: string;
  #clientCertificate?: object | undefined;
  private readAtMs: number;
  private readonly reading = new SingleFlight<'read', void>();
  private readonly onceAMinute: OncePerMinute;

  constructor(
    files: ReloadableTls,
    private readonly context: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#files = files;
    this.#client = new HttpsClient(files.tls, context.clock);
    this.#current = JSON.stringify(files.tls);
    this.readAtMs = context.clock.monotonicMs();
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  async request(call: HttpsRequest): Promise<HttpsResponse> {
    const { signal } = call.deadline;
    if (this.#files.clientCertificate?.() !== this.#clientCertificate) await within(signal, this.reload());
    else if (this.ageMs() >= RELOAD_PERIOD_MS) void this.reload();
    const used = this.#current;
    try {
      return await this.#client.request(call);
    } catch (error) {
      if (!isTrustFailure(error)) throw error;
      if (used === this.#current && this.ageMs() >= MIN_RELOAD_PERIOD_MS) {
        await within(signal, this.reload());
      }
      // Also when another request has reloaded meanwhile.
      if (used === this.#current) throw error;
      return this.#client.request(call);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  private ageMs(): number {
    return this.context.clock.monotonicMs() - this.readAtMs;
  }

  private reload(): Promise<void> {
    return this.reading.run('read', async () => {
      this.readAtMs = this.context.clock.monotonicMs();
      this.#clientCertificate = this.#files.clientCertificate?.();
      try {
        const tls = await this.#files.readTls();
        const next = JSON.stringify(tls);
        if (next === this.#current) return;
        this.#current = next;
        this.#client.replaceTls(tls);
        this.say('log', `certificates for ${this.#files.of} have changed`);
      } catch (error) {
        const message = `certificates for ${this.#files.of} stay as they were: ${describeError(error)}`;
        this.onceAMinute.run('reload', () => this.say('warn', message));
      }
    });
  }

  private say(level: 'log' | 'warn', message: string): void {
    try {
      this.context.log[level]({ message });
    } catch {
      // A logger of the user's that throws must neither fail a request nor, as an unhandled rejection, end the process.
    }
  }
}

// OpenSSL's reasons, as Node names them (X509_V_ERR_…), and Node's own for a name that does not fit.
const TRUST_FAILURE =
  /^(?:UNABLE_TO_|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)/;

function isTrustFailure(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && TRUST_FAILURE.test(code);
}
