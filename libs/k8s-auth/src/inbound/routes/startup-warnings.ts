import { type Log } from '../../util/log.js';
import { type GuardChains } from './guarded-handlers.js';
import { type InboundRoot } from './route.js';

/** Handlers that startup warns about. */
export interface OpenHandlers {
  /** Routes on which `K8sAuthGuard` runs. */
  readonly refused: string[];
  /** Routes on which `K8sAuthGuard` does not run. */
  readonly open: string[];
  readonly openMessages: string[];
  /** Routes with `enforce: false`, which only log what they would refuse. */
  readonly unenforced: string[];
  /** Request-scoped controllers whose constructor seems to replace decorated handlers. */
  readonly replacing: Set<string>;
  isAnyRouteProtected: boolean;
}

/** Warns once, at startup, about handlers that are open, or refused, or not enforced. @internal */
export function warnOfOpenHandlers(
  { refused, open, openMessages, unenforced, replacing, isAnyRouteProtected }: OpenHandlers,
  chains: GuardChains,
  roots: readonly InboundRoot[],
  log: Log,
): void {
  const isGuardGlobal = chains.isGlobal();
  if (chains.isOverridden()) {
    log.warn({
      message: 'a test overrides K8sAuthGuard: @K8sAuth does not protect the routes of this application',
    });
  }
  const isHybrid = roots.some(({ adapterHost }) => adapterHost.httpAdapter);
  warnOfClosedRoutes({ refused, unenforced }, log);
  if (replacing.size > 0) {
    log.warn({
      message:
        'request-scoped controllers seem to replace their handlers in the constructor: requests to replaced handlers are refused; decorate the class instead, or do not replace handlers',
      controllers: [...replacing],
    });
  }
  if (isGuardGlobal && isHybrid && openMessages.length > 0) {
    log.warn({
      message:
        'message handlers without @K8sAuth are open if their microservice is connected without inheritAppConfig, because APP_GUARD does not run on them then',
      handlers: openMessages,
    });
  }
  const handlers = [...open, ...openMessages];
  const hasVerifier = roots.some(({ verify }) => verify);
  if (hasVerifier && !isGuardGlobal && !isAnyRouteProtected && handlers.length > 0) {
    log.warn({
      message:
        'K8sAuthModule has a verifier, but no route uses it: K8sAuthGuard does not run on these handlers',
      handlers,
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
