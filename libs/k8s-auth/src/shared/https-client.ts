import { Agent, request } from 'undici';
import { type Clock } from './clock.js';
import { startDeadline } from './timers.js';

// Under the 90 s after which an API server closes idle connections itself.
const KEEP_ALIVE_MS = 60_000;
// Frees the sockets of connections that never come about; whoever waited for one has given up by its own deadline.
const CONNECT_TIMEOUT_MS = 10_000;

/** What TLS needs to know of the other side, and of us. */
export interface TlsSettings {
  /** PEM certificates, each a trust anchor even when it is an intermediate CA; the system's roots when omitted. */
  readonly ca?: string;
  /** PEM client certificate and key. */
  readonly cert?: string;
  readonly key?: string;
  /** The name the certificate must have, when it is not the URL's host. */
  readonly servername?: string;
}

export interface HttpsRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything, from connecting to the last byte of the body. */
  readonly signal: AbortSignal;
  /** A longer body ends the request with an error. */
  readonly maxBytes: number;
}

export interface HttpsResponse {
  readonly status: number;
  /** Lower-case names; a repeated header is joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * HTTPS over kept-alive connections: never follows a redirect, never reads more than it was told, never goes on
 * after its signal fired, never sends anything in the clear. Used for the API server and for issuers.
 * @internal
 */
export class HttpsClient {
  private readonly agent: Agent;

  constructor(tls: TlsSettings = {}) {
    this.agent = new Agent({
      // Our own deadline rules; undici's default timeouts would be a second, longer one.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: {
        ...tls,
        // As in Go, hence kubectl: OpenSSL would look for the root above an intermediate CA.
        ...(tls.ca !== undefined && { allowPartialTrustChain: true }),
        timeout: CONNECT_TIMEOUT_MS,
        // Not left to the default, which the variable NODE_TLS_REJECT_UNAUTHORIZED changes.
        rejectUnauthorized: true,
      },
    });
  }

  /** @throws {Error} connection, TLS or size trouble, or the signal's reason */
  async request({ method, url, headers, body, signal, maxBytes }: HttpsRequest): Promise<HttpsResponse> {
    if (!url.startsWith('https://')) throw new Error('refusing to send a request that is not https');
    const response = await request(url, { method, headers, body, signal, dispatcher: this.agent });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      // Leaving the loop destroys the stream, and with it the connection.
      if (length > maxBytes) throw new Error(`body longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return {
      status: response.statusCode,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
      ),
      body: Buffer.concat(chunks).toString('utf8'),
    };
  }

  /** The same with a deadline of its own. */
  async requestWithin(
    clock: Clock,
    timeoutMs: number,
    what: Omit<HttpsRequest, 'signal'>,
  ): Promise<HttpsResponse> {
    const deadline = startDeadline(clock, timeoutMs);
    try {
      return await this.request({ ...what, signal: deadline.signal });
    } finally {
      deadline.cancel();
    }
  }

  /** Lets requests under way finish, then ends all connections; further requests fail. */
  async retire(): Promise<void> {
    await this.agent.close();
  }

  /** Ends all connections at once; requests under way are cut. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }
}
