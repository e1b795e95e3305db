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
  /** The time limit for the whole request: address lookup, all tries, and the last byte of the body. */
  readonly deadline: Deadline;
  /** Maximum length of the response body. A longer body fails the request. */
  readonly maxBytes: number;
}

export interface HttpsResponse {
  readonly status: number;
  /** Names are in lower case. The values of a repeated header are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
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

/** One request in flight on one connection. */
export interface Exchange {
  /** Rejects with errors of Node. The caller must convert them with `plainErrorOf`. */
  readonly response: Promise<HttpsResponse>;
  readonly progress: Readonly<ExchangeProgress>;
  /** Closes the connection if it is still in use. `response` then rejects with this reason. */
  end(reason: Error): void;
}

/**
 * Sends one request over one connection of a pool. A connection that stays silent is closed: a reused connection may
 * have been dropped by the network without notice (a lost NAT entry), and a new one may lead to a server that is down.
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
    // Also covers errors while the body is read. There the response itself would only report that it was aborted.
    sent.on('error', (error) => abandon(error));
    // Node reports nothing else after an unrequested protocol switch.
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
      // A request without a socket is destroyed once it gets one. If it were destroyed now, its socket would stay in the
      // pool, even if it never connects.
      if (outgoing?.socket) outgoing.destroy();
    },
  };
}

/** Whether only the connection has failed, so that another connection to the server may work. @internal */
export function isConnectionAtFault({ isAnswered, isReused, isSilent }: ExchangeProgress): boolean {
  return !isAnswered && (isReused || isSilent);
}

/** Closes the connection if it stays silent for too long. @returns a function that stops the watch */
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
  const timeoutMessage = isReused ? 'no answer over an open connection' : 'no connection';
  const stop = clock.schedule(limitMs, () => {
    progress.isSilent = true;
    sent.destroy(
      new PlainError('TimeoutError', `${timeoutMessage} within ${inWholeMs(limitMs)}`, 'ETIMEDOUT'),
    );
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
    // Throwing leaves the loop, which destroys the response and its connection.
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
