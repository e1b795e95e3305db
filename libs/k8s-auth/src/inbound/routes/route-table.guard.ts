import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type ContextId, type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
import { UndecoratedRouteError, UnsupportedContextError, VerifierUnavailableError } from '../../errors.js';
import { rememberPublic } from '../request/authenticated-request.js';
import { nodeRequestOf } from '../request/bearer-token.js';
import { authenticate } from '../request/k8s-auth.guard.js';
import { refuse } from '../request/refusal.js';
import { isIdentified, lineageOf, type RouteClass, type RouteHandler } from './controller-class.js';
import { declarationOf, isDeclared } from './declarations.js';
import { type InboundRoot, type RouteMatch } from './route.js';
import { originalOf, type RouteTable } from './route-table.js';

const UNKNOWN = 'handler is not in the route table';

/** What is used of a controller beside its routes. */
export interface CompiledController {
  /** The class that Nest's contexts name for it. */
  readonly routeClass: RouteClass;
  /** Name -> function, for every handler. */
  readonly methods: ReadonlyMap<string, RouteHandler>;
  /** No method declares anything itself: any function of the class stands for it. */
  readonly isUniform: boolean;
  /** Some handler of messages is protected. */
  readonly protectsMessages: boolean;
}

/** A controller of which Nest creates an instance for each request or each tenant. */
export interface ScopedController extends CompiledController {
  readonly wrapper: InstanceWrapper;
}

/** What startup tells the guard. */
export interface RouteTableGuardSettings {
  readonly scoped: readonly ScopedController[];
  /** Classes that Nest creates as providers, and not as controllers. */
  readonly providers: ReadonlySet<RouteClass>;
  /** `K8sAuthGuard` is global: undecorated routes are closed. */
  readonly isGuardGlobal: boolean;
  /** The application uses something of ours. If it does not, every request passes. */
  readonly isUsed: boolean;
  /** A test has put something in the place of `K8sAuthGuard`, which decides then. */
  readonly isOverridden: boolean;
}

/**
 * A global guard that holds every protected route to the route table, whatever has become of the guards that decorators
 * brought: Nest looks guards up when it registers a route, before startup can check them, and anew for each instance of
 * request scope. It runs before all other guards; `K8sAuthGuard` finds its work done.
 *
 * It refuses what it cannot identify. A controller's constructor may return an instance of any class, or a plain
 * object: then neither class nor function tells which decorators count.
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
    if (!settings) return this.beforeCompilation(context, isRequest);
    if (settings.isOverridden || !settings.isUsed) return true;
    const route = this.routes.find(context);
    if (!isRequest) return this.outsideOfHttp(context, route, settings);
    if (route === 'ambiguous') return this.refuse(context, 'handler stands for several routes that differ');
    const isForeign = this.isForeign(context, settings.scoped);
    if (route === 'unknown' && !isForeign && this.isOfProvider(context, settings)) return true;
    if (route === 'unknown' || isForeign) return this.refuse(context, UNKNOWN);
    const { policy, root } = route;
    // Without a root of its own, a route has no audience, and so is refused.
    if (policy.kind === 'protected') return authenticate(context, route, root ?? this.root);
    if (policy.kind === 'public') rememberPublic(context);
    const isClosed = policy.kind === 'undecorated' && settings.isGuardGlobal;
    return isClosed ? this.refuse(context, 'route has neither @K8sAuth nor @Public') : true;
  }

  /** Nest routes requests before startup is complete, and a module's own startup code may open a port. */
  private beforeCompilation(context: ExecutionContext, isRequest: boolean): true {
    if (isRequest) {
      const error = new VerifierUnavailableError('startup has not compiled the routes yet');
      return refuse(this.root, { context }, error);
    }
    const isConcerned = [context.getHandler(), ...lineageOf(context.getClass())].some((one) =>
      isDeclared(declarationOf(one)),
    );
    return isConcerned ? this.refuseContext(context) : true;
  }

  /** There is no request to authenticate: what is protected is refused, and what may be. */
  private outsideOfHttp(
    context: ExecutionContext,
    route: RouteMatch,
    { providers, scoped }: RouteTableGuardSettings,
  ): true {
    if (typeof route !== 'string') {
      return route.policy.kind === 'protected' ? this.refuseContext(context) : true;
    }
    if (route === 'ambiguous' || this.routes.mayBeProtected(context)) return this.refuseContext(context);
    if (!scoped.some(({ protectsMessages }) => protectsMessages)) return true;
    // An instance for one request may be of any class. Nest calls messages of a microservice on controllers alone.
    // Everything else may be a provider's, and libraries run functions of their own objects under the name 'http', which
    // is Nest's default.
    const type: string = context.getType();
    const routeClass = context.getClass();
    const isIdentified =
      type === 'http' || (type !== 'rpc' && (providers.has(routeClass) || this.routes.hasClass(routeClass)));
    return isIdentified ? true : this.refuseContext(context);
  }

  /** Libraries run functions of providers for a request too. */
  private isOfProvider(context: ExecutionContext, { providers }: RouteTableGuardSettings): boolean {
    return providers.has(context.getClass()) && !this.routes.concerns(context);
  }

  private refuse(context: ExecutionContext, reason: string): never {
    return refuse(this.root, { context }, new UndecoratedRouteError(reason));
  }

  private refuseContext(context: ExecutionContext): never {
    return refuse(this.root, { context }, new UnsupportedContextError('context is not http'));
  }

  /** Whether an instance of request scope is not what the table was made from: another class's, or changed. */
  private isForeign(context: ExecutionContext, scoped: readonly ScopedController[]): boolean {
    if (scoped.length === 0) return false;
    const request = context.switchToHttp().getRequest<Partial<Record<symbol, ContextId>> | undefined>();
    const contextId = request?.[REQUEST_CONTEXT_ID];
    if (contextId === undefined) return false;
    const routeClass = context.getClass();
    const called = scoped.filter((one) => one.routeClass === routeClass && calls(one, context, contextId));
    if (called.length > 0 && !called.some((one) => isAsCompiled(one, instanceOf(one, contextId))))
      return true;
    // Or of a controller whose instances claim to be of this class. If the function is not of this class either, it
    // may be any of theirs: a Proxy can make one at each read.
    const isStray = !this.routes.hasHandler(context);
    return scoped.some((one) => {
      const instance = one.routeClass === routeClass ? undefined : instanceOf(one, contextId);
      const isImpostor = instance !== undefined && !isIdentified(one.routeClass, instance);
      return isImpostor && (isStray || hasFunction(one, instance, context));
    });
  }
}

function isHttpRequest(context: ExecutionContext): boolean {
  return (
    context.getType() === 'http' && nodeRequestOf(context.switchToHttp().getRequest<unknown>()) !== undefined
  );
}

/** Whether the instance that Nest has created for this request can be the one whose function it calls. */
function calls(controller: ScopedController, context: ExecutionContext, contextId: ContextId): boolean {
  const instance = instanceOf(controller, contextId);
  if (!instance || Reflect.get(instance, 'constructor') !== context.getClass()) return false;
  return hasFunction(controller, instance, context);
}

function hasFunction({ methods }: ScopedController, instance: object, context: ExecutionContext): boolean {
  const handler = originalOf(context.getHandler());
  return [...methods.keys()].some((name) => {
    const method: unknown = Reflect.get(instance, name);
    return typeof method === 'function' && originalOf(method) === handler;
  });
}

function isAsCompiled(
  { routeClass, methods, isUniform }: ScopedController,
  instance: object | undefined,
): boolean {
  if (!instance || !isIdentified(routeClass, instance)) return false;
  return [...methods].every(([name, method]) => {
    const handler: unknown = Reflect.get(instance, name);
    return isUniform || (typeof handler === 'function' && originalOf(handler) === originalOf(method));
  });
}

/** Nest has created it before it asks the guards; what it has not created is not what it will call. */
function instanceOf({ wrapper }: ScopedController, contextId: ContextId): object | undefined {
  const isTreeDurable = wrapper.isDependencyTreeDurable();
  const ownContextId = contextId.getParent?.({ token: wrapper.token, isTreeDurable }) ?? contextId;
  const host = wrapper.getInstanceByContextId(ownContextId, wrapper.id);
  const instance: unknown = host.instance;
  return host.isResolved && typeof instance === 'object' && instance !== null ? instance : undefined;
}
