import { type ExecutionContext } from '@nestjs/common';
import { type NodeRequest, nodeRequestOf } from '../request/bearer-token.js';
import { isOfAnotherRequest } from './current-request.js';
import { hasMethods, type Shape, shapeOf } from './shapes.js';
import { type LongLivedConnection } from './transport.js';

/** The part of GraphQLResolveInfo that tells where in an operation a resolver runs. */
export interface ResolveInfo {
  readonly operation: object;
  readonly path: ResponsePath;
}

interface ResponsePath {
  readonly key: string | number;
  readonly prev: ResponsePath | undefined;
}

/** Where the request of an operation is. */
export interface OperationSource {
  /** The HTTP request of the operation, or the request that opened the WebSocket. */
  readonly node: NodeRequest | undefined;
  /** The application uses one context for several requests: nothing shows whose operation this is. */
  readonly isShared?: boolean;
  /** The payload of `connection_init`; only over a WebSocket. */
  readonly connectionParams?: Shape;
  /** Only over a WebSocket. */
  readonly connection?: LongLivedConnection;
}

/** The used part of the WebSocket of graphql-ws, and of Node's socket. */
interface Closable {
  close?(code: number, reason: string): void;
  destroy?(): void;
  once(event: 'close', listener: () => void): void;
}

/** Clients of graphql-ws connect again after this code. They do not after 4401. */
const FORBIDDEN_CLOSE_CODE = 4403;

/**
 * The context of the operation and, except for loaders, the place in the operation. A resolver gets parent, arguments,
 * context and info; a reference resolver gets no arguments.
 * @internal
 */
export function operationOf(context: ExecutionContext): { value: Shape; info: ResolveInfo } | undefined {
  const [, second, third, fourth] = context.getArgs<unknown[]>();
  const [value, info] = isInfo(fourth) ? [third, fourth] : [second, third];
  const shape = shapeOf(value);
  return shape && isInfo(info) ? { value: shape, info } : undefined;
}

function isInfo(value: unknown): value is ResolveInfo {
  const { operation, path, schema } = shapeOf(value) ?? {};
  return [operation, path, schema].every((one) => shapeOf(one) !== undefined);
}

/** @param value the context of an operation of Apollo or Mercurius @internal */
export function sourceOf(value: Shape): OperationSource {
  const overWebSocket = [value['req'], value].map(shapeOf).find((one) => isGraphqlWs(one));
  if (overWebSocket) return graphqlWsSource(overWebSocket);
  const request = value['req'] ?? value['request'] ?? shapeOf(value['reply'])?.['request'];
  const node = nodeRequestOf(request);
  if (!node) return { node };
  if (!Object.hasOwn(value, '_connectionInit'))
    return isOfAnotherRequest(node) ? { node: undefined, isShared: true } : { node };
  // Mercurius shows its WebSocket to nobody. The socket below it is on the request.
  const socket = node.socket as (Closable & object) | undefined;
  const connectionParams = shapeOf(value['_connectionInit']);
  return {
    node,
    ...(connectionParams && { connectionParams }),
    ...(socket && { connection: connectionTo(socket, socket) }),
  };
}

/** The context of graphql-ws, which Nest's driver for Apollo passes in place of the request. */
function isGraphqlWs(value: Shape | undefined): value is Shape {
  const extra = shapeOf(value?.['extra']);
  return extra !== undefined && hasMethods(extra['socket'], 'close', 'once');
}

function graphqlWsSource({ extra, connectionParams }: Shape): OperationSource {
  const { socket, request } = extra as { readonly socket: Closable; readonly request: unknown };
  const params = shapeOf(connectionParams);
  return {
    node: nodeRequestOf(request),
    ...(params && { connectionParams: params }),
    connection: connectionTo(extra as object, socket),
  };
}

function connectionTo(key: object, socket: Closable): LongLivedConnection {
  return {
    key,
    close: () =>
      socket.close ? socket.close(FORBIDDEN_CLOSE_CODE, 'token expired') : void socket.destroy?.(),
    onClosed: (listener) => socket.once('close', listener),
  };
}
