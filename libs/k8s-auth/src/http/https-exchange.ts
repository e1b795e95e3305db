import { type ClientRequest, type IncomingMessage } from 'node:http';
import { type Agent, request, type RequestOptions } from 'node:https';
import { type TLSSocket } from 'node:tls';
import { type Clock } from '../util/clock.js';
import { PlainError } from '../util/plain-error.js';
import { type Deadline, inWholeMs } from '../util/timers.js';

export interface HttpsRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The time limit for the whole request: address lookup, all tries, and the last byte of the body. */
  readonly deadline: Deadline;
  /** Maximum length of the response body. A longer body fails the request. */
  readonly maxBytes: number;
}

export interface HttpsResponse {
  readonly status: number;
  readonly body: string;
  /** The values of a repeated header are joined with a comma. @param name in lower case */
  header(name: string): string | undefined;
}

/** How long a connection may stay silent (receive nothing), milliseconds. */
export interface SilenceLimits {
  /** A new connection, until TLS is established. */
  readonly newMs: number;
  /** A connection that has carried a request before, until the response starts. */
  readonly reusedMs: number;
}

/** The progress of a request on its connection. */
export interface ExchangeProgress {
  /** The connection has carried a request before. */
  isReused: boolean;
  /** TLS was established. */
  isConnected: boolean;
  /** The response has started. */
  isAnswered: boolean;
  /** The connection was closed because it stayed silent for too long. */
  isSilent: boolean;
  /** Time from the established connection to the start of the response, milliseconds. */
  answerMs: number;
}

/** What an exchange needs beside the request itself. */
export interface ExchangeContext {
  /** The address of the URL. */
  readonly target: RequestOptions;
  /** The pool of connections. */
  readonly agent: Agent;
  readonly limits: SilenceLimits;
  readonly clock: Clock;
}

/**
 * One request in flight on one connection of a pool. A connection that stays silent is closed: a reused connection may
 * have been dropped by the network without notice (a lost NAT entry), and a new one may lead to a server that is down.
 * @internal
 */
export class Exchange {
  /** Rejects with errors of Node. The caller must convert them with `plainErrorOf`. */
  readonly response: Promise<HttpsResponse>;
  readonly progress: ExchangeProgress = {
    isReused: false,
    isConnected: false,
    isAnswered: false,
    isSilent: false,
    answerMs: 0,
  };

  readonly #maxBytes: number;
  readonly #context: ExchangeContext;
  readonly #sent: ClientRequest;
  #isSettled = false;
  #sentMs = 0;
  #stopWatch = () => {};
  #resolve!: (response: HttpsResponse) => void;
  #reject!: (reason: Error) => void;

  constructor({ method, headers, body, maxBytes }: HttpsRequest, context: ExchangeContext) {
    this.#maxBytes = maxBytes;
    this.#context = context;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { protocol, hostname, servername, port, path, auth } = context.target;
    const { agent } = context;
    // Not a spread: V8 would make a hidden class for each request.
    const sent = request({ protocol, hostname, servername, port, path, auth, agent, method, headers });
    this.#sent = sent;
    // Also covers errors while the body is read. There the response itself would only report that it was aborted.
    sent.on('error', (error) => this.#fail(error));
    // Node reports nothing else after an unrequested protocol switch.
    sent.on('close', () => this.progress.isAnswered || this.#failAsClosed());
    sent.on('socket', (socket: TLSSocket) => (this.#isSettled ? sent.destroy() : this.#watch(socket)));
    sent.on('response', (incoming) => this.#read(incoming));
    sent.end(body);
  }

  /** Closes the connection if it is still in use. {@link response} then rejects with this reason. */
  end(reason: Error): void {
    this.#fail(reason);
    // A request without a socket is destroyed once it gets one. If it were destroyed now, its socket would stay in the
    // pool, even if it never connects.
    if (this.#sent.socket) this.#sent.destroy();
  }

  #fail(reason: Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#stopWatch();
    this.#reject(reason);
  }

  #failAsClosed(): void {
    // The error is created only if it is needed: this runs for each request.
    if (!this.#isSettled) this.#fail(new PlainError('Error', 'connection was closed', 'ECONNRESET'));
  }

  /** Closes the connection if it stays silent for too long. */
  #watch(socket: TLSSocket): void {
    const { limits, clock } = this.#context;
    const isReused = this.#sent.reusedSocket;
    this.progress.isReused = this.progress.isConnected = isReused;
    this.#sentMs = clock.monotonicMs();
    const limitMs = isReused ? limits.reusedMs : limits.newMs;
    this.#stopWatch = clock.schedule(limitMs, () => {
      this.progress.isSilent = true;
      const message = isReused ? 'no answer over an open connection' : 'no connection';
      this.#sent.destroy(
        new PlainError('TimeoutError', `${message} within ${inWholeMs(limitMs)}`, 'ETIMEDOUT'),
      );
    });
    if (isReused) return;
    socket.once('secureConnect', () => {
      this.progress.isConnected = true;
      this.#sentMs = clock.monotonicMs();
      this.#stopWatch();
    });
  }

  #read(incoming: IncomingMessage): void {
    this.#stopWatch();
    this.progress.isAnswered = true;
    this.progress.answerMs = this.#context.clock.monotonicMs() - this.#sentMs;
    const chunks: Buffer[] = [];
    let length = 0;
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > this.#maxBytes)
        this.end(new PlainError('Error', `body longer than ${this.#maxBytes} bytes`));
    });
    incoming.on('end', () => {
      if (this.#isSettled) return;
      this.#isSettled = true;
      this.#resolve(new ReceivedResponse(incoming, Buffer.concat(chunks).toString('utf8')));
    });
    // The error of the request, if there is one, comes first.
    incoming.on('error', (error) => process.nextTick(() => this.#fail(error)));
    incoming.on('close', () => process.nextTick(() => this.#failAsClosed()));
  }
}

/** Reads headers only when asked: most answers are used without them. */
class ReceivedResponse implements HttpsResponse {
  readonly status: number;
  readonly #incoming: IncomingMessage;

  constructor(
    incoming: IncomingMessage,
    readonly body: string,
  ) {
    this.status = incoming.statusCode ?? 0;
    this.#incoming = incoming;
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}

/** Whether only the connection has failed, so that another connection to the server may work. @internal */
export function isConnectionAtFault({ isAnswered, isReused, isSilent }: ExchangeProgress): boolean {
  return !isAnswered && (isReused || isSilent);
}
