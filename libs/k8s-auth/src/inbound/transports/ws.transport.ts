import { type ExecutionContext } from '@nestjs/common';
import { type NodeRequest, removeAuthorization } from '../request/bearer-token.js';
import { bodyOf, messageException } from './exceptions.js';
import { Handshake, handshakeOf } from './handshake.js';
import { authorizationsOf, connectionOfNode, hasMethods, NO_CONNECTION, shapeOf } from './shapes.js';
import { type Transport } from './transport.js';

/** The used part of a WebSocket of the package ws. */
interface Socket {
  readonly readyState: number;
  once(event: 'close', listener: () => void): void;
}

/** RFC 6455 §7.4.1: the connection violates the policy of the server. */
export const POLICY_VIOLATION = 1008;

const socketOf = (context: ExecutionContext) => context.getArgByIndex<Socket>(0);
/** It has the credentials: the package ws does not store the request on the client. */
const handshakeIn = (context: ExecutionContext) => handshakeOf(socketOf(context));

function isWs(value: unknown): value is Socket {
  return hasMethods(value, 'send', 'close', 'once') && typeof shapeOf(value)?.['readyState'] === 'number';
}

/** @internal */
export function handshakeOfUpgrade(request: NodeRequest): Handshake {
  const handshake = new Handshake({
    credentials: () => authorizationsOf(request),
    removeCredentials: () => removeAuthorization(request),
    connection: connectionOfNode(request),
  });
  const { socket } = request;
  if (hasMethods(socket, 'once')) (socket as unknown as Socket).once('close', () => handshake.end());
  return handshake;
}

/** For a client of an unknown server, which shows no credentials. @internal */
export function handshakeOfClient(client: object): Handshake {
  const handshake = new Handshake({
    credentials: () => [],
    removeCredentials: () => undefined,
    connection: NO_CONNECTION,
  });
  if (hasMethods(client, 'once')) (client as Socket).once('close', () => handshake.end());
  return handshake;
}

/** Messages of the WsAdapter. The token is in the `Authorization` header of the request that opened the connection. */
export const wsTransport: Transport = {
  name: 'ws',
  matches: (context) => context.getType() === 'ws' && isWs(socketOf(context)),
  // All guards of one message get the same list of arguments. Parameter decorators get a copy of it.
  messageOf: (context): object => context.getArgs<unknown[]>(),
  callerKeyOf: socketOf,
  credentialsOf: (context) => handshakeIn(context)?.source.credentials() ?? [],
  removeCredentials: (context) => handshakeIn(context)?.source.removeCredentials(),
  connectionOf: (context) => handshakeIn(context) ?? NO_CONNECTION,
  longLivedOf: handshakeIn,
  toError: (_, refusal) => messageException('ws', bodyOf(refusal), refusal),
};
