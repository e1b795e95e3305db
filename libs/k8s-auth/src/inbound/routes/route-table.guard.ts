import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type ContextId, type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
import { UndecoratedRouteError } from '../../errors.js';
import { type InboundRoot } from '../inbound-root.js';
import { authenticate } from '../request/authenticate.js';
import { rememberPublic } from '../request/authenticated-request.js';
import { refuse } from '../request/refusal.js';
import { isIdentified, type RouteClass, type RouteHandler } from './controller-class.js';
import { originalOf } from './route-table.js';

const UNKNOWN = 'handler is not in the route table';

/** A controller of which Nest creates an instance for each request or each tenant. */
export interface ScopedController {
  readonly wrapper: InstanceWrapper;
  readonly routeClass: RouteClass;
  /** Name -> function, for every handler. */
  readonly methods: ReadonlyMap<string, RouteHandler>;
  /** No method declares anything itself: any function of the class stands for it. */
  readonly isUniform: boolean;
}

/** What startup tells the guard. */
export interface RouteTableGuardSettings {
  readonly scoped: readonly ScopedController[];
  /** `K8sAuthGuard` is global: undecorated routes are closed. */
  readonly isGuardGlobal: boolean;
  /** A test has put something in the place of `K8sAuthGuard`, which decides then. */
  readonly isOverridden: boolean;
}

/**
 * A global guard that holds every protected route to the route table, whatever has become of the guards that decorators
 * brought: Nest looks guards up when it registers a route, before startup can check them, and anew for each instance of
 * request scope. It runs before all other guards; `K8sAuthGuard` finds its work done.
 * @internal
 */
export class RouteTableGuard implements CanActivate {
  private settings: RouteTableGuardSettings = { scoped: [], isGuardGlobal: false, isOverridden: false };

  constructor(private readonly root: InboundRoot) {}

  configure(settings: RouteTableGuardSettings): void {
    this.settings = settings;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http' || this.settings.isOverridden) return true;
    const { routes } = this.root;
    const route = routes.find(context);
    if (route === 'unknown') return routes.concerns(context) ? this.refuse(context, UNKNOWN) : true;
    // The guards of the modules decide: only they know which of them is called.
    if (route === 'served-by-other-root') return true;
    if (route === 'ambiguous') return this.refuse(context, 'handler stands for several routes that differ');
    if (this.isForeign(context)) return this.refuse(context, UNKNOWN);
    const { policy, root } = route;
    if (policy.kind === 'protected' && root) return authenticate(context, route, root);
    if (policy.kind === 'public') rememberPublic(context);
    const isClosed = policy.kind === 'undecorated' && this.settings.isGuardGlobal;
    return isClosed ? this.refuse(context, 'route has neither @K8sAuth nor @Public') : true;
  }

  private refuse(context: ExecutionContext, reason: string): never {
    return refuse(this.root, { context }, new UndecoratedRouteError(reason));
  }

  /** Whether an instance of request scope is not what the table was made from: another class's, or changed. */
  private isForeign(context: ExecutionContext): boolean {
    const { scoped } = this.settings;
    if (scoped.length === 0) return false;
    const request = context.switchToHttp().getRequest<Partial<Record<symbol, ContextId>> | undefined>();
    const contextId = request?.[REQUEST_CONTEXT_ID];
    if (contextId === undefined) return false;
    const routeClass = context.getClass();
    const ofClass = scoped.filter((one) => one.routeClass === routeClass);
    const called = ofClass.filter((one) => calls(one, context, contextId));
    if (called.length > 0) return !called.some((one) => isAsCompiled(one, instanceOf(one, contextId)));
    // Not an instance of its own class: then of a controller whose instances claim to be of this one.
    return scoped.some((one) => one.routeClass !== routeClass && calls(one, context, contextId));
  }
}

/** Whether the instance that Nest has created for this request can be the one whose function it calls. */
function calls(controller: ScopedController, context: ExecutionContext, contextId: ContextId): boolean {
  const instance = instanceOf(controller, contextId);
  if (!instance || Reflect.get(instance, 'constructor') !== context.getClass()) return false;
  const handler = originalOf(context.getHandler());
  return [...controller.methods.keys()].some((name) => {
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
