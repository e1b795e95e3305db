import { type Log } from '../../shared/log.js';
import { type InboundRoot } from '../inbound-root.js';
import { type CompiledRoutes } from './route-compiler.js';

/** Warns once, at startup, of handlers that nobody has decided about. @internal */
export function warnOfOpenHandlers(
  { undecorated, undecoratedMessages, isAnyRouteProtected }: CompiledRoutes,
  { isGuardGlobal, roots }: { readonly isGuardGlobal: boolean; readonly roots: readonly InboundRoot[] },
  log: Log,
): void {
  const isHybrid = roots.some(({ adapterHost }) => adapterHost.httpAdapter);
  if (isGuardGlobal && undecorated.length > 0) {
    log.warn({
      message: 'routes without @K8sAuth or @Public are refused for every caller',
      routes: undecorated,
    });
  }
  if (isGuardGlobal && isHybrid && undecoratedMessages.length > 0) {
    log.warn({
      message:
        'message handlers without @K8sAuth are open if their microservice is connected without inheritAppConfig: APP_GUARD does not cover it then',
      handlers: undecoratedMessages,
    });
  }
  const handlers = [...undecorated, ...undecoratedMessages];
  const hasVerifier = roots.some(({ verifier }) => verifier);
  if (hasVerifier && !isGuardGlobal && !isAnyRouteProtected && handlers.length > 0) {
    log.warn({
      message: 'K8sAuthModule has a verifier that nothing uses: these handlers are open to every caller',
      handlers,
    });
  }
}
