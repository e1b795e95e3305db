import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { UndecoratedRouteError, UnsupportedContextError, VerifierUnavailableError } from '../../errors.js';
import { authenticatesInTests, rememberPublic } from '../request/authenticated-request.js';
import { nodeRequestOf, requestOf } from '../request/bearer-token.js';
import { authenticate } from '../request/k8s-auth.guard.js';
import { refuse } from '../request/refusal.js';
import { decideMessage } from '../transports/authenticate-message.js';
import { isHandshake } from '../transports/handshake.transport.js';
import { findTransport } from '../transports/index.js';
import { lineageOf, type RouteClass } from './controller-class.js';
import { declarationOf, isDeclared } from './declarations.js';
import { type InboundRoot, type RouteMatch } from './route.js';
import { type RouteTable } from './route-table.js';
import { isForeign, type ScopedController } from './scoped-controllers.js';

const UNKNOWN = 'handler is not in the route table';

/** What startup has found out, for the guard. */
export interface RouteTableGuardSettings {
  readonly scoped: readonly ScopedController[];
  /** Classes that Nest creates as providers, and not as controllers. */
  readonly providers: ReadonlySet<RouteClass>;
  /** `K8sAuthGuard` is global, so undecorated routes are closed. */
  readonly isGuardGlobal: boolean;
  /** The application uses our guard or our decorators. If not, every request passes. */
  readonly isUsed: boolean;
  /** A test has overridden `K8sAuthGuard`. Then only the replacement decides. */
  readonly replacement: CanActivate | undefined;
}

/**
 * A global guard that protects the routes of the route table, even if the guards of the decorators were lost. Nest looks
 * guards up when it registers a route, before startup can check them, and again for each request-scoped instance. This
 * guard runs before all other guards; `K8sAuthGuard` then finds the request authenticated.
 *
 * It refuses a request if it cannot identify the route. A controller's constructor may return an instance of any class,
 * or a plain object. Then neither class nor function shows which decorators apply.
 * @internal
 */
export class RouteTableGuard implements CanActivate {
  private settings?: RouteTableGuardSettings;

  constructor(
    private readonly root: InboundRoot,
    private readonly routes: RouteTable,
  ) {}

  configure(settings: RouteTableGuardSettings): void {
    this.settings = settings;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { settings } = this;
    const isRequest = isHttpRequest(context);
    if (!settings) return this.decideBeforeCompilation(context, isRequest || isHandshake(context));
    if (settings.replacement) return this.passToReplacement(context, settings.replacement);
    if (!settings.isUsed) return true;
    const route = this.routes.find(context);
    if (!isRequest) return this.decideOutsideHttp(context, route, settings);
    if (route === 'ambiguous')
      return this.refuse(context, 'handler serves several routes with different decorators');
    const isChanged = isForeign(context, settings.scoped, this.routes);
    if (route === 'unknown' && !isChanged && this.isProviderFunction(context, settings)) return true;
    if (route === 'unknown' || isChanged) return this.refuse(context, UNKNOWN);
    const { policy, root } = route;
    // A route without a root has no audience, so `authenticate` refuses it.
    if (policy.kind === 'protected') return authenticate(context, route, root ?? this.root);
    if (policy.kind === 'public') rememberPublic(context);
    const isClosed = policy.kind === 'undecorated' && settings.isGuardGlobal;
    const reason = 'route has neither @K8sAuth nor @Public';
    return isClosed ? this.refuse(context, reason, route.enforce) : true;
  }

  /** Nest itself runs the replacement, but no guard for a connection. Only our replacement can decide about one. */
  private passToReplacement(context: ExecutionContext, replacement: CanActivate): boolean | Promise<boolean> {
    if (!isHandshake(context) || !authenticatesInTests(replacement)) return true;
    return Promise.resolve(replacement.canActivate(context)).then(() => true);
  }

  /** A request can arrive before startup is complete: the startup code of a module may open a port. */
  private decideBeforeCompilation(context: ExecutionContext, isRequest: boolean): true {
    if (isRequest) {
      const error = new VerifierUnavailableError('startup has not compiled the routes yet');
      return refuse(this.root, { context }, error);
    }
    const isDecorated = [context.getHandler(), ...lineageOf(context.getClass())].some((one) =>
      isDeclared(declarationOf(one)),
    );
    return isDecorated ? this.refuseContext(context) : true;
  }

  private decideOutsideHttp(
    context: ExecutionContext,
    route: RouteMatch,
    { providers, scoped, isGuardGlobal }: RouteTableGuardSettings,
  ): boolean | Promise<boolean> {
    const transport = findTransport(context);
    if (typeof route !== 'string' && transport)
      return decideMessage({ context, transport, route, root: route.root ?? this.root }, isGuardGlobal);
    if (typeof route !== 'string') {
      const { kind } = route.policy;
      const isOpen = kind === 'public' || (kind === 'undecorated' && !isGuardGlobal);
      return isOpen ? true : this.refuseContext(context);
    }
    if (route === 'ambiguous' || this.routes.mayBeProtected(context)) return this.refuseContext(context);
    const type: string = context.getType();
    // GraphQL always runs K8sAuthGuard, if it is global. Messages of these types may reach only this guard.
    if (isGuardGlobal && (type === 'rpc' || type === 'ws')) return this.refuseContext(context);
    if (!scoped.some(({ protectsMessages }) => protectsMessages)) return true;
    // A request-scoped instance may be of any class. Nest passes messages of a microservice to controllers only. Libraries
    // run functions of their own objects in a context of type 'http', which is Nest's default.
    const routeClass = context.getClass();
    const isIdentified =
      type === 'http' || (type !== 'rpc' && (providers.has(routeClass) || this.routes.hasClass(routeClass)));
    return isIdentified ? true : this.refuseContext(context);
  }

  /** Libraries also run functions of providers in the context of a request. */
  private isProviderFunction(context: ExecutionContext, { providers }: RouteTableGuardSettings): boolean {
    return providers.has(context.getClass()) && !this.routes.reachesDecoratedTarget(context);
  }

  /** A handler that cannot be identified is refused even if the option `enforce` is `false`: its route is unknown. */
  private refuse(context: ExecutionContext, reason: string, enforce = true): true {
    return refuse(this.root, { context, enforce }, new UndecoratedRouteError(reason));
  }

  private refuseContext(context: ExecutionContext): true {
    const error = findTransport(context)
      ? new UndecoratedRouteError(UNKNOWN)
      : new UnsupportedContextError('context is not http');
    return refuse(this.root, { context }, error);
  }
}

function isHttpRequest(context: ExecutionContext): boolean {
  return context.getType() === 'http' && nodeRequestOf(requestOf(context)) !== undefined;
}
