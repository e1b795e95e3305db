import { type ServerResponse } from 'node:http';
import { type Clock } from '../../src/util/clock.js';
import { type Answer } from './answer.js';
import { ApiError, attempt } from './api-error.js';
import { type Fault } from './faults.js';
import { isJsonObject, type JsonObject } from './jws.js';

export interface Delivery {
  readonly response: ServerResponse;
  /** Runs the endpoint. Not called if the fault happens before the endpoint. */
  readonly honest: () => Answer;
  readonly clock: Clock;
  /** Ends the connection with a TCP reset. */
  readonly reset: () => void;
}

const HUGE_BYTES = 16 * 1024 * 1024;

/** Sends the real answer to a request, or the answer that its fault describes. */
export function deliver(fault: Fault | undefined, delivery: Delivery): void {
  const { response, honest, clock, reset } = delivery;
  switch (fault?.kind) {
    case undefined:
      return send(response, honest());
    case 'status':
      return send(response, statusAnswer(fault));
    case 'delay':
      return void clock.schedule(fault.ms, () => send(response, honest()));
    case 'hang':
      return;
    case 'reset':
      return reset();
    case 'cut':
      return sendHalf(response, honest());
    case 'trickle':
      return sendByteByByte(response, honest(), fault.ms, clock);
    case 'bad-framing':
      return sendBadFraming(response, honest());
    case 'content-type':
      return send(response, withHeaders(honest(), { 'content-type': fault.value }));
    case 'huge':
      return sendHuge(response, fault.bytes ?? HUGE_BYTES);
    case 'redirect':
      return send(response, { status: 307, headers: { location: fault.to }, body: '' });
    case 'body':
      return send(response, withBody(honest(), fault.body));
  }
}

function statusAnswer({ status, headers, body }: Extract<Fault, { kind: 'status' }>): Answer {
  const answer = new ApiError(status, 'InjectedFault', `injected fault ${status}`).toAnswer();
  return withHeaders({ ...answer, body: body ?? answer.body }, headers ?? {});
}

function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function withBody(answer: Answer, body: string | JsonObject | ((honest: JsonObject) => unknown)): Answer {
  if (typeof body === 'string') return { ...answer, body };
  if (typeof body !== 'function') return { ...answer, body: JSON.stringify(body) };
  const honest: unknown = JSON.parse(answer.body);
  const changed = attempt(() => body(isJsonObject(honest) ? honest : {}));
  // An error in the test's own function becomes the answer, so it does not end the process.
  if (changed instanceof ApiError) return changed.toAnswer();
  return { ...answer, body: typeof changed === 'string' ? changed : JSON.stringify(changed) };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

function sendHalf(response: ServerResponse, { status, headers, body }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  // Destroyed only after the first half was written to the socket; otherwise nothing would arrive.
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
}

function sendByteByByte(
  response: ServerResponse,
  { status, headers, body }: Answer,
  periodMs: number,
  clock: Clock,
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length }).flushHeaders();
  const sendFrom = (at: number) => {
    if (response.destroyed) return;
    if (at === bytes.length) return void response.end();
    response.write(bytes.subarray(at, at + 1));
    clock.schedule(periodMs, () => sendFrom(at + 1));
  };
  clock.schedule(periodMs, () => sendFrom(0));
}

function sendBadFraming(response: ServerResponse, { status, headers, body }: Answer): void {
  const { socket } = response;
  response.writeHead(status, { ...headers, 'transfer-encoding': 'chunked' }).flushHeaders();
  socket?.end(body);
}

/** Sends piece by piece, as fast as the client reads, and stops when the client disconnects. */
function sendHuge(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes });
  let left = bytes;
  const next = (piece: string) => {
    left -= piece.length;
    if (left <= 0) return void response.end(piece.slice(0, piece.length + left));
    response.write(piece, () => next(' '.repeat(65_536)));
  };
  next('{"keys":[');
}
