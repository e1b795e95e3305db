import { Agent } from 'node:https';
import { type Clock } from '../util/clock.js';
import {
  type Exchange,
  type HttpsRequest,
  type HttpsResponse,
  isConnectionAtFault,
  type SilenceLimits,
  startExchange,
} from './https-exchange.js';
import { PlainError, plainErrorOf } from '../util/plain-error.js';
import { type Deadline, inWholeMs, nextTurn, within } from '../util/timers.js';
import { type Log } from '../util/log.js';
import { isTrustFailure, type ReloadableTls, TlsFiles, withCaHint } from './tls-files.js';
import { type TlsSettings } from './tls-source.js';

// Under the 90 s after which an API server closes idle connections itself.
const KEEP_ALIVE_MS = 60_000;
// As many as there are TokenReviews at a time.
const MAX_IDLE_CONNECTIONS = 16;

const MAX_TRIES = 3;
// Half of the time for one connection leaves the other half for the next one; but a lost SYN is sent again after 1 s, and
// a TLS handshake may be slow where the CPU is scarce.
const NEW_CONNECTION_SHARE = 1 / 2;
const MIN_NEW_CONNECTION_MS = 500;
// A dropped connection costs this share of the time, and seven eighths are left for an answer that is slow.
const REUSED_CONNECTION_SHARE = 1 / 8;
const MIN_REUSED_CONNECTION_MS = 100;
// A server whose answers take long now is not cut off for it: a connection may be silent for twice as long as they take.
const USUAL_ANSWER_FACTOR = 2;
const USUAL_ANSWER_DECAY = 0.9;

/** Code of a deadline that was over before there was a connection. */
export const NOT_CONNECTED = 'ECONNTIMEDOUT';

export { type HttpsRequest, type HttpsResponse };

/**
 * HTTPS over kept-alive connections, with certificate files that may be replaced: never follows a redirect, never reads
 * more than it was told, never goes on after its deadline, never sends anything in the clear. Used for the API server
 * and for issuers.
 *
 * A request whose connection shows no sign of life is sent again over a new one, within the same deadline; hence a
 * request has to be one that may arrive twice. A reused connection that fails or falls silent retires all that are open.
 *
 * Node's own client, not undici: that one takes no notice of a signal until a connection is established, and does not tell
 * whether it was reused (docs/adr/0010-outages.md).
 * @internal
 */
export class HttpsClient {
  readonly #tls: TlsFiles;
  /** Of the pool that is open. */
  #settings: TlsSettings;
  readonly #caOption: string | undefined;
  readonly #clock: Clock;
  readonly #underWay = new Set<Exchange>();
  #pool: Agent;
  #isClosed = false;
  #usualAnswerMs = 0;

  constructor(tls: ReloadableTls, context: { readonly clock: Clock; readonly log: Log }) {
    this.#tls = new TlsFiles(tls, context);
    this.#settings = this.#tls.settings;
    this.#caOption = tls.caOption;
    this.#clock = context.clock;
    this.#pool = this.#openPool();
  }

  /** @throws {PlainError} connection, TLS or size failures, or the reason of the deadline's signal */
  async request(call: HttpsRequest): Promise<HttpsResponse> {
    const { signal } = call.deadline;
    if (!call.url.startsWith('https://')) {
      throw new PlainError('Error', 'refusing to send a request that is not https');
    }
    const change = this.#tls.follow(signal);
    if (change) await change;
    const used = this.#tls.settings;
    try {
      return await this.#send(call);
    } catch (error) {
      if (!isTrustFailure(error) || !(await this.#tls.reload(used, signal))) throw error;
      return this.#send(call);
    }
  }

  /** Pass it to {@link renewCertificate}, as it was before a request. */
  get tlsSettings(): TlsSettings {
    return this.#tls.settings;
  }

  /**
   * Reads the certificate files again, because a request with these settings was answered with 401.
   * @returns whether there are other settings now
   */
  renewCertificate(used: TlsSettings, signal: AbortSignal): Promise<boolean> {
    return this.#tls.renew(used, signal);
  }

  async #send(call: HttpsRequest): Promise<HttpsResponse> {
    const { signal } = call.deadline;
    if (this.#settings !== this.#tls.settings) this.#retirePool();
    for (let tries = 1; ; tries++) {
      this.#assertOpen();
      if (signal.aborted) throw unconnectedError(call.deadline);
      const pool = this.#pool;
      const exchange = startExchange(call, pool, this.#limits(call, tries), this.#clock);
      try {
        return await this.#receive(exchange, signal);
      } catch (error) {
        exchange.end(error as Error);
        const { isReused, isConnected } = exchange.progress;
        const isAtFault = isConnectionAtFault(exchange.progress);
        // Also where no time is left for another try: the next request must not meet the same connections.
        if (isAtFault && isReused && pool === this.#pool) this.#retirePool();
        this.#assertOpen();
        if (signal.aborted) throw isConnected ? signal.reason : unconnectedError(call.deadline);
        if (!isAtFault || tries === MAX_TRIES) throw withCaHint(plainErrorOf(error), this.#caOption);
      }
    }
  }

  /** Ends all connections at once: requests under way have failed when this resolves, further ones fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const exchange of this.#underWay) exchange.end(closedError());
    this.#pool.destroy();
    // Their failures reach those who wait.
    await nextTurn();
  }

  async #receive(exchange: Exchange, signal: AbortSignal): Promise<HttpsResponse> {
    this.#underWay.add(exchange);
    try {
      const response = await within(signal, exchange.response);
      this.#usualAnswerMs = Math.max(exchange.progress.answerMs, this.#usualAnswerMs * USUAL_ANSWER_DECAY);
      return response;
    } finally {
      this.#underWay.delete(exchange);
    }
  }

  #limits({ deadline }: HttpsRequest, tries: number): SilenceLimits {
    const leftMs = deadline.remainingMs();
    return {
      newMs: tries < MAX_TRIES ? Math.max(leftMs * NEW_CONNECTION_SHARE, MIN_NEW_CONNECTION_MS) : Infinity,
      reusedMs: Math.max(
        leftMs * REUSED_CONNECTION_SHARE,
        MIN_REUSED_CONNECTION_MS,
        this.#usualAnswerMs * USUAL_ANSWER_FACTOR,
      ),
    };
  }

  #retirePool(): void {
    const retired = this.#pool;
    this.#pool = this.#openPool();
    // Connections in use end when they become free.
    retired.maxFreeSockets = 0;
    for (const sockets of Object.values(retired.freeSockets)) sockets?.forEach((socket) => socket.destroy());
  }

  #openPool(): Agent {
    this.#settings = this.#tls.settings;
    return new Agent({
      ...this.#settings,
      // As in Go, hence kubectl: OpenSSL would look for the root above an intermediate CA.
      ...(this.#settings.ca !== undefined && { allowPartialTrustChain: true }),
      // Not left to the default, which the variable NODE_TLS_REJECT_UNAUTHORIZED changes.
      rejectUnauthorized: true,
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_CONNECTIONS,
      // Of a free connection: one in use is ended by the deadline of its request.
      timeout: KEEP_ALIVE_MS,
    });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closedError();
  }
}

function unconnectedError({ timeoutMs }: Deadline): PlainError {
  return new PlainError('TimeoutError', `no connection within ${inWholeMs(timeoutMs)}`, NOT_CONNECTED);
}

function closedError(): PlainError {
  return new PlainError('Error', 'HTTPS client was closed', 'ERR_CLOSED');
}
