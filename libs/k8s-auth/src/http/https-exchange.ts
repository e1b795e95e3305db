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

/** How far a request has come over its connection. */
export interface ExchangeProgress {
  /** The connection has served before. */
  isReused: boolean;
  /** TLS was established. */
  isConnected: boolean;
  /** An answer has begun. */
  isAnswered: boolean;
  /** The connection was cut because it gave no sign of life. */
  isSilent: boolean;
  /** How long the answer took to begin, once the connection was there, milliseconds. */
  answerMs: number;
}

/** One request under way over one connection. */
export interface Exchange {
  /** Rejects with foreign errors: the caller converts them. */
  readonly response: Promise<HttpsResponse>;
  readonly progress: Readonly<ExchangeProgress>;
  /** Cuts the connection, if it is still in use; the response is then this reason. */
  end(reason: Error): void;
}

/**
 * Sends one request over one connection of a pool. A connection that gives no sign of life is cut: a reused one may have
 * been dropped on the way without a word (a lost NAT entry), and a new one may lead to a server that is gone.
 * @internal
 */
export function startExchange(
  call: HttpsRequest,
  pool: Agent,
  limits: SilenceLimits,
  clock: Clock,
): Exchange {
  const progress = { isReused: false, isConnected: false, isAnswered: false, isSilent: false, answerMs: 0 };
  let outgoing: ClientRequest | undefined;
  let isEnded = false;
  let stopWatch = () => {};
  let abandon: (reason: Error) => void = () => {};
  const abandoned = new Promise<never>((_, reject) => (abandon = reject));
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    const { method, url, headers, body } = call;
    const sent = request(url, { method, headers, agent: pool });
    outgoing = sent;
    // Also within the body, where the response would only say that it was cut off.
    sent.on('error', (error) => abandon(error));
    // Also where Node reports nothing else, after a protocol switch that nobody asked for.
    sent.on('close', () => reject(new PlainError('Error', 'connection was closed', 'ECONNRESET')));
    sent.on('socket', (socket: TLSSocket) => {
      if (isEnded) sent.destroy();
      else stopWatch = watch(sent, socket, progress, limits, clock);
    });
    sent.on('response', resolve);
    sent.end(body);
  }).then((incoming) => read(incoming, call.maxBytes));
  return {
    progress,
    response: Promise.race([answer, abandoned]).finally(() => stopWatch()),
    end(reason) {
      isEnded = true;
      abandon(reason);
      // A request that has no socket yet gets one: destroyed now, it would leave that in the pool, connected or not.
      if (outgoing?.socket) outgoing.destroy();
    },
  };
}

/** The failure says nothing about the server: another connection may do. @internal */
export function isConnectionAtFault({ isAnswered, isReused, isSilent }: ExchangeProgress): boolean {
  return !isAnswered && (isReused || isSilent);
}

/** @returns ends the watch */
function watch(
  sent: ClientRequest,
  socket: TLSSocket,
  progress: ExchangeProgress,
  limits: SilenceLimits,
  clock: Clock,
): () => void {
  const isReused = sent.reusedSocket;
  progress.isReused = progress.isConnected = isReused;
  let sentMs = clock.monotonicMs();
  const limitMs = isReused ? limits.reusedMs : limits.newMs;
  const lack = isReused ? 'no answer over an open connection' : 'no connection';
  const stop = clock.schedule(limitMs, () => {
    progress.isSilent = true;
    sent.destroy(new PlainError('TimeoutError', `${lack} within ${inWholeMs(limitMs)}`, 'ETIMEDOUT'));
  });
  sent.once('response', () => {
    stop();
    progress.isAnswered = true;
    progress.answerMs = clock.monotonicMs() - sentMs;
  });
  if (!isReused) {
    socket.once('secureConnect', () => {
      progress.isConnected = true;
      sentMs = clock.monotonicMs();
      stop();
    });
  }
  return stop;
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
