import { type ExecutionContext } from '@nestjs/common';
import { removeAuthorization } from '../request/bearer-token.js';
import { bodyOf, messageException } from './exceptions.js';
import { authorizationsOf, connectionOfNode, hasMethods, shapeOf } from './shapes.js';
import { type Transport } from './transport.js';
import { upgradeRequestOf } from './upgrade-requests.js';

/** The used part of a WebSocket of the package ws. */
interface Socket {
  readonly readyState: number;
  close(code: number, reason: string): void;
  once(event: 'close', listener: () => void): void;
}

/** RFC 6455 §7.4.1: the connection violates the policy of the server. */
const POLICY_VIOLATION = 1008;

const socketOf = (context: ExecutionContext) => context.getArgByIndex<Socket>(0);
const nodeOf = (context: ExecutionContext) => upgradeRequestOf(socketOf(context));

/** Messages of the WsAdapter. The token is in the `Authorization` header of the request that opened the connection. */
export const wsTransport: Transport = {
  name: 'ws',
  matches: (context) =>
    context.getType() === 'ws' &&
    hasMethods(socketOf(context), 'send', 'close', 'once') &&
    typeof shapeOf(socketOf(context))?.['readyState'] === 'number',
  // All guards of one message get the same list of arguments. Parameter decorators get a copy of it.
  messageOf: (context): object => context.getArgs<unknown[]>(),
  callerKeyOf: socketOf,
  credentialsOf: (context) => authorizationsOf(nodeOf(context)),
  removeCredentials: (context) => removeAuthorization(nodeOf(context)),
  connectionOf: (context) => connectionOfNode(nodeOf(context)),
  longLivedOf(context) {
    const socket = socketOf(context);
    return {
      key: socket,
      close: () => socket.close(POLICY_VIOLATION, 'token expired'),
      onClosed: (listener) => socket.once('close', listener),
    };
  },
  toError: (_, refusal) => messageException('ws', bodyOf(refusal), refusal),
};
