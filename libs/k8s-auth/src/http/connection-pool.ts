import { Agent, type RequestOptions } from 'node:https';
import { type TlsSettings } from './tls-source.js';

// Less than 90 s, after which an API server closes idle connections.
const KEEP_ALIVE_MS = 60_000;
// The maximum number of concurrent TokenReviews.
const MAX_IDLE_CONNECTIONS = 16;

/**
 * Kept-alive connections that all have the same TLS settings. Node would build a key of all settings, certificates included,
 * for each request.
 * @internal
 */
export class ConnectionPool extends Agent {
  #lastHost: RequestOptions['host'];
  #lastPort: RequestOptions['port'];
  #lastName = 'undefined:undefined';

  constructor(settings: TlsSettings) {
    super({
      ...settings,
      // As in Go (and kubectl): an intermediate CA is enough. By default OpenSSL requires its root too.
      ...(settings.ca !== undefined && { allowPartialTrustChain: true }),
      // Set explicitly, because the variable NODE_TLS_REJECT_UNAUTHORIZED changes the default.
      rejectUnauthorized: true,
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_CONNECTIONS,
      // Closes idle connections. A connection in use is closed by the deadline of its request.
      timeout: KEEP_ALIVE_MS,
    });
  }

  /** Most requests go to one server. Node uses the name as a key, and V8 finds a key faster if it is the same object as last time. */
  override getName({ host, port }: RequestOptions = {}): string {
    if (host !== this.#lastHost || port !== this.#lastPort) {
      this.#lastHost = host;
      this.#lastPort = port;
      this.#lastName = `${host}:${port}`;
    }
    return this.#lastName;
  }

  /** Closes the connections that are idle now, and those in use when they become free. */
  retire(): void {
    this.maxFreeSockets = 0;
    for (const sockets of Object.values(this.freeSockets)) sockets?.forEach((socket) => socket.destroy());
  }
}
