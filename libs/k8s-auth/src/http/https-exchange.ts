import { type ClientRequest, type IncomingMessage } from 'node:http';
import { type Agent, request } from 'node:https';
import { type TLSSocket } from 'node:tls';
import { type Clock } from '../util/clock.js';
import { PlainError } from '../util/plain-error.js';
import { type Deadline, inWholeMs } from '../util/timers.js';

export interface HttpsRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything, from looking up the address to the last byte of the body, and for all tries. */
  readonly deadline: Deadline;
  /** A longer body ends the request with an error. */
  readonly maxBytes: number;
}

export interface HttpsResponse {
  readonly status: number;
  /** Lower-case names; a repeated header is joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How long a connection may give no sign of life, milliseconds. */
export interface SilenceLimits {
  /** A new one, until TLS is established. */
  readonly newMs: number;
  /** One that has served before, until an answer begins. */
  readonly reusedMs: number;
}

/**
 * One request over one connection of a pool. A connection that gives no sign of life is cut: a reused one may have been
 * dropped on the way without a word (a lost NAT entry), and a new one may lead to a server that is gone.
 * @internal
 */
export class HttpsExchange {
  /** Rejects with foreign errors: the caller converts them. */
  readonly response: Promise<HttpsResponse>;
  isReused = false;
  /** TLS was established. */
  isConnected = false;
  /** How long the answer took to begin, once the connection was there, milliseconds. */
  answerMs = 0;
  #request?: ClientRequest;
  private abandon: (reason: Error) => void = () => {};
  private isEnded = false;
  private isAnswered = false;
  private isSilent = false;
  private sentMs = 0;
  private cancelCut = () => {};

  constructor(
    call: HttpsRequest,
    pool: Agent,
    private readonly limits: SilenceLimits,
    private readonly clock: Clock,
  ) {
    const abandoned = new Promise<never>((_, reject) => (this.abandon = reject));
    const answer = this.send(call, pool).then((response) => read(response, call.maxBytes));
    this.response = Promise.race([answer, abandoned]).finally(() => this.cancelCut());
  }

  /** The failure says nothing about the server: another connection may do. */
  get isConnectionAtFault(): boolean {
    return !this.isAnswered && (this.isReused || this.isSilent);
  }

  /** Cuts the connection, if it is still in use; the response is then this reason. */
  end(reason: Error): void {
    this.isEnded = true;
    this.abandon(reason);
    // A request that has no socket yet gets one: destroyed now, it would leave that in the pool, connected or not.
    if (this.#request?.socket) this.#request.destroy();
  }

  private send(call: HttpsRequest, pool: Agent): Promise<IncomingMessage> {
    const { method, url, headers, body } = call;
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: pool });
      this.#request = outgoing;
      // Also within the body, where the response would only say that it was cut off.
      outgoing.on('error', (error) => this.abandon(error));
      // Also where Node reports nothing else, after a protocol switch that nobody asked for.
      outgoing.on('close', () => reject(new PlainError('Error', 'connection was closed', 'ECONNRESET')));
      outgoing.on('socket', (socket: TLSSocket) => this.watch(socket, outgoing));
      outgoing.on('response', (incoming) => {
        this.cancelCut();
        this.isAnswered = true;
        this.answerMs = this.clock.monotonicMs() - this.sentMs;
        resolve(incoming);
      });
      outgoing.end(body);
    });
  }

  private watch(socket: TLSSocket, outgoing: ClientRequest): void {
    if (this.isEnded) return void outgoing.destroy();
    this.isReused = this.isConnected = outgoing.reusedSocket;
    this.sentMs = this.clock.monotonicMs();
    const limitMs = this.isReused ? this.limits.reusedMs : this.limits.newMs;
    const lack = this.isReused ? 'no answer over an open connection' : 'no connection';
    this.cancelCut = this.clock.schedule(limitMs, () => {
      this.isSilent = true;
      outgoing.destroy(new PlainError('TimeoutError', `${lack} within ${inWholeMs(limitMs)}`, 'ETIMEDOUT'));
    });
    if (this.isReused) return;
    socket.once('secureConnect', () => {
      this.isConnected = true;
      this.sentMs = this.clock.monotonicMs();
      this.cancelCut();
    });
  }
}

async function read(response: IncomingMessage, maxBytes: number): Promise<HttpsResponse> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop destroys the response, and with it the connection.
    if (length > maxBytes) throw new PlainError('Error', `body longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    ),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}
