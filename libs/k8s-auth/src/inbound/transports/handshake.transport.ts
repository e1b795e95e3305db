import { type ExecutionContext } from '@nestjs/common';
import { VerifierUnavailableError } from '../../errors.js';
import { bodyOf } from './exceptions.js';
import { Handshake } from './handshake.js';
import { type Refusal, type Transport } from './transport.js';

const handshakeIn = (context: ExecutionContext) => context.getArgByIndex<Handshake>(0);

/** @internal */
export function isHandshake(context: ExecutionContext): boolean {
  return context.getType() === 'ws' && handshakeIn(context) instanceof Handshake;
}

/** Clients that connect to a gateway, before Nest calls `handleConnection` and before the server can send to them. */
export const handshakeTransport: Transport = {
  name: 'connection',
  matches: isHandshake,
  messageOf: handshakeIn,
  credentialsOf: (context) => handshakeIn(context).source.credentials(),
  removeCredentials: (context) => handshakeIn(context).source.removeCredentials(),
  connectionOf: handshakeIn,
  longLivedOf: handshakeIn,
  toError: (_, refusal) => new RefusedConnectionError(refusal),
};

/** Reaches the client only, and no exception filter: Nest runs none before a client is connected. @internal */
export class RefusedConnectionError extends Error {
  readonly statusCode: Refusal['statusCode'];
  readonly retryAfterSeconds: number | undefined;
  /** The client of socket.io finds this field in its event `connect_error`. */
  readonly data: object;

  /** For an error that is not about the client, such as one of a logger: nothing of it reaches the client. */
  static from(error: unknown): RefusedConnectionError {
    if (error instanceof RefusedConnectionError) return error;
    const cause = new VerifierUnavailableError('unexpected error');
    const message = 'Service Unavailable';
    return new this({ code: 'SERVICE_UNAVAILABLE', statusCode: 503, message, retryAfterSeconds: 1, cause });
  }

  constructor(refusal: Refusal) {
    super(refusal.message, { cause: refusal.cause });
    this.statusCode = refusal.statusCode;
    this.retryAfterSeconds = refusal.retryAfterSeconds;
    this.data = bodyOf(refusal);
  }
}
