import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type ContextId, type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
import { UndecoratedRouteError } from '../../errors/index.js';
import { type InboundRoot } from '../inbound-root.js';
import { refuse } from '../request/refusal.js';
import { isIdentified, type RouteClass, type RouteHandler } from './controller-class.js';
import { type GuardChains } from './guard-chains.js';
import { originalOf } from './route-table.js';

/** A controller with decorators of ours, of which Nest creates an instance for each request or each tenant. */
export interface ScopedController {
  readonly wrapper: InstanceWrapper;
  readonly routeClass: RouteClass;
  readonly moduleKey: string;
  /** What serves its module. */
  readonly root: InboundRoot | undefined;
  /** Name -> function, for every route; empty where the class alone declares something, for all its functions. */
  readonly methods: ReadonlyMap<string, RouteHandler>;
}

/**
 * A global guard that looks at what startup cannot see: the functions and instances that a request really reaches. It
 * refuses functions of a decorated controller that are not in the route table, and instances of request scope that are
 * not what the table was made from. Everything else passes, to be decided by the route's own guards.
 * @internal
 */
export class ScopedInstancesGuard implements CanActivate {
  private controllers: readonly ScopedController[] = [];
  private chains?: GuardChains;

  constructor(private readonly root: InboundRoot) {}

  watch(controllers: readonly ScopedController[], chains: GuardChains): void {
    this.controllers = controllers;
    this.chains = chains;
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const { routes } = this.root;
    const isUnknown = routes.isInvolved(context.getClass()) && routes.find(context, this.root) === 'unknown';
    if (!isUnknown && !this.hasChanged(context)) return true;
    return refuse(this.root, { context }, new UndecoratedRouteError('handler is not in the route table'));
  }

  private hasChanged(context: ExecutionContext): boolean {
    if (this.controllers.length === 0) return false;
    const request = context.switchToHttp().getRequest<Partial<Record<symbol, ContextId>> | undefined>();
    const contextId = request?.[REQUEST_CONTEXT_ID];
    if (contextId === undefined) return false;
    return this.controllers.some((controller) => {
      const instance = instanceOf(controller, contextId);
      return instance !== undefined && !this.isAsCompiled(controller, instance, context);
    });
  }

  private isAsCompiled(
    { routeClass, methods, moduleKey, root }: ScopedController,
    instance: object,
    context: ExecutionContext,
  ): boolean {
    if (!isIdentified(routeClass, instance)) return false;
    for (const [name, method] of methods) {
      const handler: unknown = Reflect.get(instance, name);
      if (typeof handler !== 'function' || originalOf(handler) !== originalOf(method)) return false;
    }
    if (context.getClass() !== routeClass || !root) return true;
    const route = root.routes.find(context, root);
    if (typeof route === 'string' || route.policy.kind !== 'protected') return true;
    // Nest finds the guards of each instance anew.
    return this.chains?.includesGuardOf(root, instance, context.getHandler(), moduleKey) === true;
  }
}

/** Nest has created it before it asks the guards; what it has not created is not what it will call. */
function instanceOf({ wrapper }: ScopedController, contextId: ContextId): object | undefined {
  const isTreeDurable = wrapper.isDependencyTreeDurable();
  const ownContextId = contextId.getParent?.({ token: wrapper.token, isTreeDurable }) ?? contextId;
  const host = wrapper.getInstanceByContextId(ownContextId, wrapper.id);
  const instance: unknown = host.instance;
  return host.isResolved && typeof instance === 'object' && instance !== null ? instance : undefined;
}
