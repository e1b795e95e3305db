import { type ExecutionContext } from '@nestjs/common';
import { type NodeRequest, nodeRequestOf, removeAuthorization } from '../request/bearer-token.js';
import { bodyOf, messageException } from './exceptions.js';
import { authorizationsOf, hasMethods, ownText, shapeOf } from './shapes.js';
import { type Transport } from './transport.js';

/** The used part of a socket of socket.io. */
interface Socket {
  readonly handshake: { readonly auth?: Record<string, unknown>; readonly address?: string };
  readonly request: unknown;
  readonly connected: boolean;
  disconnect(close: boolean): void;
  once(event: 'disconnect', listener: () => void): void;
}

const socketOf = (context: ExecutionContext) => context.getArgByIndex<Socket>(0);
const nodeOf = (context: ExecutionContext): NodeRequest | undefined =>
  nodeRequestOf(socketOf(context).request);

/**
 * Messages of socket.io. The token is in `auth.token` of the handshake, with or without the scheme `Bearer`, or in the
 * `Authorization` header of the request that opened the connection.
 */
export const socketIoTransport: Transport = {
  name: 'socket.io',
  matches: (context) =>
    context.getType() === 'ws' &&
    hasMethods(socketOf(context), 'disconnect', 'emit') &&
    shapeOf(socketOf(context).handshake) !== undefined,
  // All guards of one message get the same list of arguments. Parameter decorators get a copy of it.
  messageOf: (context): object => context.getArgs<unknown[]>(),
  callerKeyOf: socketOf,
  credentialsOf(context) {
    const token = ownText(socketOf(context).handshake.auth, 'token');
    const ofHeader = authorizationsOf(nodeOf(context));
    if (token === undefined) return ofHeader;
    return [/^bearer /i.test(token) ? token : `Bearer ${token}`, ...ofHeader];
  },
  removeCredentials(context) {
    const { handshake, request } = socketOf(context);
    if (handshake.auth && Object.hasOwn(handshake.auth, 'token')) delete handshake.auth['token'];
    removeAuthorization(request);
  },
  connectionOf(context) {
    const socket = socketOf(context);
    return { address: socket.handshake.address ?? '', isClosed: () => !socket.connected };
  },
  longLivedOf(context) {
    const socket = socketOf(context);
    return {
      key: socket,
      close: () => socket.disconnect(true),
      onClosed: (listener) => socket.once('disconnect', listener),
    };
  },
  toError: (_, refusal) => messageException('ws', bodyOf(refusal), refusal),
};
