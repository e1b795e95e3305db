import { type Log } from '../../util/log.js';
import { type GuardChains } from './guard-chains.js';
import { type InboundRoot } from './route.js';

/** Handlers that startup warns about. */
export interface OpenHandlers {
  /** Handlers on which `K8sAuthGuard` runs, or the guard of the route table in its place. */
  readonly refused: string[];
  /** Handlers on which `K8sAuthGuard` does not run. */
  readonly open: string[];
  /** Reference resolvers on which GraphQL runs no guard, decorated or not. */
  readonly unguardedReferences: string[];
  /** Root fields of GraphQL that a loader of Mercurius resolves. */
  readonly openLoaders: string[];
  /** Routes with `enforce: false`, which only log what they would refuse. */
  readonly unenforced: string[];
  /** Connections that the WebSocket adapter opens before anything can refuse them. */
  readonly connectedBeforeDecision: string[];
  /** Request-scoped controllers whose constructor seems to replace decorated handlers. */
  readonly replacing: Set<string>;
  isAnyRouteProtected: boolean;
}

/** Warns once, at startup, about handlers that are open, or refused, or not enforced. @internal */
export function warnOfOpenHandlers(
  handlers: OpenHandlers,
  chains: GuardChains,
  roots: readonly InboundRoot[],
  log: Log,
): void {
  const { open, replacing, isAnyRouteProtected } = handlers;
  const isGuardGlobal = chains.isGlobal();
  if (chains.isOverridden()) {
    log.warn({
      message: 'a test overrides K8sAuthGuard: @K8sAuth does not protect the routes of this application',
    });
  }
  warnOfClosedRoutes(handlers, log);
  warnOfConnections(handlers, log);
  if (replacing.size > 0) {
    log.warn({
      message:
        'request-scoped controllers seem to replace their handlers in the constructor: requests to replaced handlers are refused; decorate the class instead, or do not replace handlers',
      controllers: [...replacing],
    });
  }
  if (isGuardGlobal || isAnyRouteProtected) warnOfUnguardedFields(handlers, log);
  const hasVerifier = roots.some(({ verify }) => verify);
  if (hasVerifier && !isGuardGlobal && !isAnyRouteProtected && open.length > 0) {
    log.warn({
      message:
        'K8sAuthModule has a verifier, but no route uses it: K8sAuthGuard does not run on these handlers',
      handlers: open,
    });
  }
}

function warnOfUnguardedFields({ unguardedReferences, openLoaders }: OpenHandlers, log: Log): void {
  if (unguardedReferences.length > 0) {
    log.warn({
      message:
        "reference resolvers are open: GraphQL runs no guard on them unless fieldResolverEnhancers includes 'guards'",
      handlers: unguardedReferences,
    });
  }
  if (openLoaders.length > 0) {
    log.warn({
      message: 'root fields with a loader of Mercurius are open: Nest runs no guard on loaders',
      fields: openLoaders,
    });
  }
}

function warnOfConnections({ connectedBeforeDecision }: OpenHandlers, log: Log): void {
  if (connectedBeforeDecision.length > 0) {
    log.warn({
      message:
        'this WebSocket adapter connects clients before K8sAuth can refuse them: until it closes the connection, a refused client may receive what the gateway sends to all clients',
      gateways: connectedBeforeDecision,
    });
  }
}

function warnOfClosedRoutes(
  { refused, unenforced }: Pick<OpenHandlers, 'refused' | 'unenforced'>,
  log: Log,
): void {
  if (unenforced.length > 0) {
    log.warn({
      message:
        'K8sAuth is not enforced: these routes accept every request, and only log what they would refuse',
      routes: unenforced,
    });
  }
  const closed = refused.filter((label) => !unenforced.includes(label));
  if (closed.length > 0) {
    log.warn({ message: 'routes without @K8sAuth or @Public are refused for every caller', routes: closed });
  }
}
