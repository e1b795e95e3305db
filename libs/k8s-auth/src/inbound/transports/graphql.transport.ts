import { type ExecutionContext, HttpException } from '@nestjs/common';
import { nodeRequestOf, removeAuthorization } from '../request/bearer-token.js';
import { type OperationSource, operationOf, type ResolveInfo, sourceOf } from './graphql-context.js';
import { authorizationsOf, connectionOfNode, hasMethods, ownText, type Shape } from './shapes.js';
import { type Refusal, type Transport } from './transport.js';

/**
 * Operations of GraphQL, with Apollo or Mercurius. The token is in the `Authorization` header of the request. For a
 * subscription over a WebSocket, it is in `connectionParams.authorization`, or in the header of the upgrade request.
 */
export const graphqlTransport: Transport = {
  name: 'graphql',
  matches: (context) => context.getType<string>() === 'graphql' && operationOf(context) !== undefined,
  messageOf(context) {
    const { value, info } = operationOf(context) ?? {};
    const source = value && sourceOf(value);
    // One field of one operation: everything else belongs to several requests.
    if (source?.isShared) return info;
    // Over a WebSocket, the request lives as long as the connection, and the context as long as the operation.
    return source?.connection ? value : (source?.node ?? value);
  },
  undecidable(context) {
    const value = operationOf(context)?.value;
    return value && sourceOf(value).isShared
      ? 'GraphQL option "context": expected a new object for each request, not one that requests share'
      : undefined;
  },
  credentialsOf(context) {
    const { connectionParams, node } = sourceOfContext(context);
    const ofParams = namesIn(connectionParams).flatMap((name) => ownText(connectionParams, name) ?? []);
    return ofParams.length > 0 ? ofParams : authorizationsOf(node);
  },
  removeCredentials(context) {
    const { connectionParams, node } = sourceOfContext(context);
    for (const name of namesIn(connectionParams)) Reflect.deleteProperty(connectionParams as object, name);
    removeAuthorization(node);
    const request = operationOf(context)?.value['req'];
    // Fastify's request shows a copy of the headers.
    if (request !== node && nodeRequestOf(request) === node) removeAuthorization(request);
  },
  connectionOf: (context) => connectionOfNode(sourceOfContext(context).node),
  longLivedOf: (context) => sourceOfContext(context).connection,
  noteDecided(context) {
    const operation = operationOf(context);
    if (operation && operation.info.path.prev === undefined) decidedRootsOf(operation).add(rootOf(operation));
  },
  isBelowDecided(context) {
    const operation = operationOf(context);
    return operation?.info.path.prev !== undefined && decidedRootsOf(operation).has(rootOf(operation));
  },
  toError(context, refusal) {
    const value = operationOf(context)?.value;
    return new GraphQLRefusal(refusal, value !== undefined && hasMethods(value['reply'], 'send'));
  },
};

function sourceOfContext(context: ExecutionContext): OperationSource {
  const value = operationOf(context)?.value;
  return value ? sourceOf(value) : { node: undefined };
}

/** The names of connection parameters have no fixed case. */
function namesIn(params: Shape | undefined): string[] {
  return Object.keys(params ?? {}).filter((name) => name.toLowerCase() === 'authorization');
}

/**
 * Context of an operation -> operation -> the names of its root fields that a guard has decided to answer. Requests of a
 * batch may share a context. The events of a subscription share the operation.
 */
const decidedRoots = new WeakMap<object, WeakMap<object, Set<string | number>>>();

function decidedRootsOf({ value, info }: { value: object; info: ResolveInfo }): Set<string | number> {
  const byOperation = decidedRoots.get(value) ?? new WeakMap<object, Set<string | number>>();
  decidedRoots.set(value, byOperation);
  const roots = byOperation.get(info.operation) ?? new Set();
  byOperation.set(info.operation, roots);
  return roots;
}

/** The name of the root field in the response, which is unique in an operation. */
function rootOf({ info }: { info: ResolveInfo }): string | number {
  let { path } = info;
  while (path.prev) path = path.prev;
  return path.key;
}

/**
 * An error of a resolver. GraphQL copies `extensions` into the response. The body has no `statusCode`, because Nest's
 * driver for Apollo would replace the code of an exception that looks like one of an HTTP route.
 */
class GraphQLRefusal extends HttpException {
  readonly extensions: object;
  /** Mercurius reads it, for a response without data. */
  readonly statusCode: number;

  constructor(refusal: Refusal, isMercurius: boolean) {
    const { code, statusCode, message, retryAfterSeconds, cause } = refusal;
    super({ message, code }, statusCode, { cause });
    this.statusCode = statusCode;
    this.extensions = {
      code,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      // Apollo Server removes it from the response, and uses it as the status unless Nest's driver keeps 200.
      ...(!isMercurius && { http: { status: statusCode } }),
    };
  }
}
