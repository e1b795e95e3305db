import { type ExecutionContext } from '@nestjs/common';
import { type ContextId, type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
import { requestOf } from '../request/bearer-token.js';
import { isIdentified, type RouteClass, type RouteHandler } from './controller-class.js';
import { originalOf, type RouteTable } from './route-table.js';

/** The part of a compiled controller that `RouteTableGuard` uses. */
export interface CompiledController {
  /** The class that Nest's execution context names for this controller. */
  readonly routeClass: RouteClass;
  /** Name -> function, for every handler. */
  readonly methods: ReadonlyMap<string, RouteHandler>;
  /** No method has a declaration of its own, so that every function of the class has the same policy. */
  readonly hasOneClassPolicy: boolean;
  /** At least one message handler is protected. */
  readonly protectsMessages: boolean;
}

/** A controller of which Nest creates an instance for each request or each tenant. */
export interface ScopedController extends CompiledController {
  readonly wrapper: InstanceWrapper;
}

/** Whether the request-scoped instance differs from the one that startup compiled: another class, or changed. @internal */
export function isForeign(
  context: ExecutionContext,
  scoped: readonly ScopedController[],
  routes: RouteTable,
): boolean {
  if (scoped.length === 0) return false;
  const request = requestOf(context) as Partial<Record<symbol, ContextId>> | undefined;
  const contextId = request?.[REQUEST_CONTEXT_ID];
  if (contextId === undefined) return false;
  const routeClass = context.getClass();
  const called = scoped.filter((one) => one.routeClass === routeClass && mayCall(one, context, contextId));
  if (called.length > 0 && !called.some((one) => isUnchanged(one, instanceOf(one, contextId)))) return true;
  // Or the instance is of another controller, and only names this class as its constructor. If the class does not
  // have the function, that controller may: a Proxy can make a new function at each read.
  const isUnknownFunction = !routes.hasHandler(context);
  return scoped.some((one) => {
    const instance = one.routeClass === routeClass ? undefined : instanceOf(one, contextId);
    const namesAnotherClass = instance !== undefined && !isIdentified(one.routeClass, instance);
    return namesAnotherClass && (isUnknownFunction || hasFunction(one, instance, context));
  });
}

/** Whether Nest may be calling a function of the instance that it has created for this request. */
function mayCall(controller: ScopedController, context: ExecutionContext, contextId: ContextId): boolean {
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

function isUnchanged(
  { routeClass, methods, hasOneClassPolicy }: ScopedController,
  instance: object | undefined,
): boolean {
  if (!instance || !isIdentified(routeClass, instance)) return false;
  return [...methods].every(([name, method]) => {
    const handler: unknown = Reflect.get(instance, name);
    return hasOneClassPolicy || (typeof handler === 'function' && originalOf(handler) === originalOf(method));
  });
}

/** Nest creates the instance before it runs the guards. Without a created instance, Nest does not call this controller. */
function instanceOf({ wrapper }: ScopedController, contextId: ContextId): object | undefined {
  const isTreeDurable = wrapper.isDependencyTreeDurable();
  const ownContextId = contextId.getParent?.({ token: wrapper.token, isTreeDurable }) ?? contextId;
  const host = wrapper.getInstanceByContextId(ownContextId, wrapper.id);
  const instance: unknown = host.instance;
  return host.isResolved && typeof instance === 'object' && instance !== null ? instance : undefined;
}
