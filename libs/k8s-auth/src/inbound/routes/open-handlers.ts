import { type Log } from '../../util/log.js';
import { type InboundRoot } from '../inbound-root.js';
import { type CompiledRoutes } from './route-compiler.js';

/** Warns once, at startup, of handlers that nobody has decided about. @internal */
export function warnOfOpenHandlers(
  { refused, open, openMessages, isAnyRouteProtected }: CompiledRoutes,
  {
    isGuardGlobal,
    isOverridden,
    roots,
  }: {
    readonly isGuardGlobal: boolean;
    readonly isOverridden: boolean;
    readonly roots: readonly InboundRoot[];
  },
  log: Log,
): void {
  if (isOverridden) {
    log.warn({
      message: 'K8sAuthGuard is overridden by a test: @K8sAuth protects no route of this application',
    });
  }
  const isHybrid = roots.some(({ adapterHost }) => adapterHost.httpAdapter);
  if (refused.length > 0) {
    log.warn({ message: 'routes without @K8sAuth or @Public are refused for every caller', routes: refused });
  }
  if (isGuardGlobal && isHybrid && openMessages.length > 0) {
    log.warn({
      message:
        'message handlers without @K8sAuth are open if their microservice is connected without inheritAppConfig, because APP_GUARD does not cover it then',
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
