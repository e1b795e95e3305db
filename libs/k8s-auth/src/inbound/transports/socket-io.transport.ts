import { type ExecutionContext } from '@nestjs/common';
import { type NodeRequest, nodeRequestOf, removeAuthorization } from '../request/bearer-token.js';
import { type CallerConnection } from '../../verifiers/verifier.js';
import { bodyOf, messageException } from './exceptions.js';
import { Handshake, handshakeOf } from './handshake.js';
import { tokenOfConnection } from './long-lived-connections.js';
import { authorizationsOf, hasMethods, NO_CONNECTION, ownText, shapeOf } from './shapes.js';
import { type Transport } from './transport.js';

/** The used part of a socket of socket.io. */
export interface SocketIoSocket {
  readonly handshake: { readonly auth?: Record<string, unknown>; readonly address?: string };
  readonly request: unknown;
  /** The connection below it, which several namespaces share. */
  readonly conn: {
    readonly readyState?: string;
    once(event: 'close', listener: () => void): void;
    off(event: 'close', listener: () => void): void;
  };
  disconnect(close: boolean): void;
  once(event: 'disconnect', listener: () => void): void;
}

const socketOf = (context: ExecutionContext) => context.getArgByIndex<SocketIoSocket>(0);

/** Whether this is a socket of socket.io. @internal */
export function isSocketIo(value: unknown): value is SocketIoSocket {
  return hasMethods(value, 'disconnect', 'emit') && shapeOf(shapeOf(value)?.['handshake']) !== undefined;
}

function credentialsOf({ handshake, request }: SocketIoSocket): readonly string[] {
  const token = ownText(handshake.auth, 'token');
  const ofHeader = authorizationsOf(nodeRequestOf(request));
  if (token === undefined) return ofHeader;
  return [/^bearer /i.test(token) ? token : `Bearer ${token}`, ...ofHeader];
}

/** Request -> its removed header. All namespaces of a client have the same request. */
const removedHeaders = new WeakMap<NodeRequest, readonly string[]>();

function removeCredentials({ handshake, request }: SocketIoSocket): void {
  if (handshake.auth && Object.hasOwn(handshake.auth, 'token')) delete handshake.auth['token'];
  const node = nodeRequestOf(request);
  const ofHeader = authorizationsOf(node);
  if (node && ofHeader.length > 0) removedHeaders.set(node, ofHeader);
  removeAuthorization(request);
}

/** @internal */
export function handshakeOfSocketIo(socket: SocketIoSocket): Handshake {
  const node = nodeRequestOf(socket.request);
  const handshake = new Handshake({
    credentials() {
      const own = credentialsOf(socket);
      return own.length > 0 || !node ? own : (removedHeaders.get(node) ?? []);
    },
    removeCredentials: () => removeCredentials(socket),
    connection: connectionOf(socket),
  });
  const end = () => handshake.end();
  // The second event also follows a refusal. Other namespaces may keep that connection open for a while, and the client may
  // try to connect again and again.
  socket.once('disconnect', end);
  socket.conn.once('close', end);
  handshake.onClosed(() => socket.conn.off('close', end));
  return handshake;
}

function connectionOf({ handshake, conn }: SocketIoSocket): CallerConnection {
  return { address: handshake.address ?? '', isClosed: () => conn.readyState === 'closed' };
}

/**
 * Messages of socket.io. The token is in `auth.token` of the handshake, with or without the scheme `Bearer`, or in the
 * `Authorization` header of the request that opened the connection.
 */
export const socketIoTransport: Transport = {
  name: 'socket.io',
  matches: (context) => context.getType() === 'ws' && isSocketIo(socketOf(context)),
  // All guards of one message get the same list of arguments. Parameter decorators get a copy of it.
  messageOf: (context): object => context.getArgs<unknown[]>(),
  callerKeyOf: socketOf,
  credentialsOf(context) {
    const handshake = handshakeOf(socketOf(context));
    // The removed header may be older than the accepted token of the connection.
    return handshake && tokenOfConnection(handshake) === undefined
      ? handshake.source.credentials()
      : credentialsOf(socketOf(context));
  },
  removeCredentials: (context) => removeCredentials(socketOf(context)),
  connectionOf: (context) => handshakeOf(socketOf(context)) ?? NO_CONNECTION,
  longLivedOf: (context) => handshakeOf(socketOf(context)),
  toError: (_, refusal) => messageException('ws', bodyOf(refusal), refusal),
};
