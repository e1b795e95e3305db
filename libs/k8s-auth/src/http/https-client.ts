import { type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import { type Clock } from '../util/clock.js';
import { ConnectionPool } from './connection-pool.js';
import {
  Exchange,
  type HttpsRequest,
  type HttpsResponse,
  isConnectionAtFault,
  type SilenceLimits,
} from './https-exchange.js';
import { PlainError, plainErrorOf } from '../util/plain-error.js';
import { type Deadline, inWholeMs, nextTurn } from '../util/timers.js';
import { type Log } from '../util/log.js';
import { isTrustFailure, type ReloadableTls, TlsFiles, withCaHint } from './tls-files.js';
import { type TlsSettings } from './tls-source.js';

const MAX_TRIES = 3;
// A new connection gets half of the remaining time, so that the other half is left for the next one. The time must not be
// too short: a lost SYN is sent again after 1 s, and a TLS handshake may be slow on a busy CPU.
const NEW_CONNECTION_SHARE = 1 / 2;
const MIN_NEW_CONNECTION_MS = 500;
// A dropped connection costs one eighth of the time. Seven eighths are left for a slow answer.
const REUSED_CONNECTION_SHARE = 1 / 8;
const MIN_REUSED_CONNECTION_MS = 100;
// If the answers of a server are slow now, its connections may stay silent for twice as long as its usual answer takes.
const USUAL_ANSWER_FACTOR = 2;
const USUAL_ANSWER_DECAY = 0.9;

/** Error code: the deadline ended before a connection was established. */
export const NOT_CONNECTED = 'ECONNTIMEDOUT';

export { type HttpsRequest, type HttpsResponse };

/**
 * HTTPS over kept-alive connections, with certificate files that may be replaced. Used for the API server and for
 * issuers. It never follows a redirect, never reads more than `maxBytes`, never continues after the deadline, and never
 * sends anything unencrypted.
 *
 * If a connection stays silent, the request is sent again over a new connection, within the same deadline. Requests must
 * therefore be safe to receive twice. If a reused connection fails or stays silent, all open connections are closed once
 * they are idle.
 *
 * Uses Node's own client, not undici: undici ignores a signal until a connection is established, and does not tell
 * whether a connection was reused (docs/adr/0010-outages.md).
 * @internal
 */
export class HttpsClient {
  readonly #tls: TlsFiles;
  /** The settings of the open pool. */
  #settings: TlsSettings;
  readonly #caOption: string | undefined;
  readonly #clock: Clock;
  readonly #inFlight = new Set<Exchange>();
  #pool: ConnectionPool;
  #isClosed = false;
  #usualAnswerMs = 0;
  #lastTarget: Target = {};

  constructor(tls: ReloadableTls, context: { readonly clock: Clock; readonly log: Log }) {
    this.#tls = new TlsFiles(tls, context);
    this.#settings = this.#tls.settings;
    this.#caOption = tls.caOption;
    this.#clock = context.clock;
    this.#pool = this.#openPool();
  }

  /** @throws {PlainError} a connection or TLS failure, a body that is too long, or the reason of the deadline's signal */
  async request(call: HttpsRequest): Promise<HttpsResponse> {
    const { deadline } = call;
    if (!call.url.startsWith('https://')) {
      throw new PlainError('Error', 'refused to send a request without TLS');
    }
    const change = this.#tls.follow(deadline);
    if (change) await change;
    const used = this.#tls.settings;
    try {
      return await this.#send(call);
    } catch (error) {
      if (!isTrustFailure(error) || !(await this.#tls.reload(used, deadline))) throw error;
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
  renewCertificate(used: TlsSettings, deadline: Deadline): Promise<boolean> {
    return this.#tls.renew(used, deadline);
  }

  async #send(call: HttpsRequest): Promise<HttpsResponse> {
    const { deadline } = call;
    if (this.#settings !== this.#tls.settings) this.#retirePool();
    for (let tries = 1; ; tries++) {
      this.#assertOpen();
      if (deadline.isOver) throw unconnectedError(deadline);
      const pool = this.#pool;
      const target = this.#targetOf(call.url);
      const limits = this.#limits(call, tries);
      const exchange = new Exchange(call, { target, agent: pool, limits, clock: this.#clock });
      const stopListening = deadline.onEnd((reason) => exchange.end(reason));
      this.#inFlight.add(exchange);
      try {
        const response = await exchange.response;
        this.#usualAnswerMs = Math.max(exchange.progress.answerMs, this.#usualAnswerMs * USUAL_ANSWER_DECAY);
        return response;
      } catch (error) {
        exchange.end(error as Error);
        const { isReused, isConnected } = exchange.progress;
        const isAtFault = isConnectionAtFault(exchange.progress);
        // Also if no time is left for another try: the next request must not use the same connections.
        if (isAtFault && isReused && pool === this.#pool) this.#retirePool();
        this.#assertOpen();
        if (deadline.isOver) throw isConnected ? deadline.signal.reason : unconnectedError(deadline);
        if (!isAtFault || tries === MAX_TRIES) throw withCaHint(plainErrorOf(error), this.#caOption);
      } finally {
        this.#inFlight.delete(exchange);
        stopListening();
      }
    }
  }

  /** Closes all connections at once. Requests in flight have failed when this resolves; later requests fail too. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const exchange of this.#inFlight) exchange.end(closedError());
    this.#pool.destroy();
    // The waiting callers get their errors in this turn.
    await nextTurn();
  }

  /** Most requests go to one URL, such as that of TokenReviews. */
  #targetOf(url: string): RequestOptions {
    if (url !== this.#lastTarget.href) this.#lastTarget = targetOf(url);
    return this.#lastTarget;
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
    retired.retire();
  }

  #openPool(): ConnectionPool {
    this.#settings = this.#tls.settings;
    return new ConnectionPool(this.#settings);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closedError();
  }
}

type Target = RequestOptions & { readonly href?: string };

/**
 * Includes the server name (SNI), which Node would otherwise compute for each request: `''` for an IP address, which must not
 * be sent (RFC 6066 §3). The `servername` of the pool's settings overrides it. Nothing else decides which name the
 * certificate must have, not even a `Host` header.
 */
function targetOf(url: string): Target {
  const target = urlToHttpOptions(new URL(url));
  const hostname = target.hostname ?? '';
  return { ...target, servername: isIP(hostname) ? '' : hostname };
}

function unconnectedError({ timeoutMs }: Deadline): PlainError {
  return new PlainError('TimeoutError', `no connection within ${inWholeMs(timeoutMs)}`, NOT_CONNECTED);
}

function closedError(): PlainError {
  return new PlainError('Error', 'HTTPS client was closed', 'ERR_CLOSED');
}
