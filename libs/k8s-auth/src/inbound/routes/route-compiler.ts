import { type MetadataScanner } from '@nestjs/core';
import { type InboundRoot } from '../inbound-root.js';
import { audienceMistakeOf, findDeclarationMistakes, readAudiences } from './declaration-mistakes.js';
import {
  isIdentified,
  lineageOf,
  ownMethodsOf,
  possibleClassesOf,
  type RouteClass,
  type RouteHandler,
} from './controller-class.js';
import {
  declarationOf,
  declaredMethodsOf,
  foreignHomesOf,
  isDeclared,
  methodDeclarationOf,
} from './declarations.js';
import { type GuardChains } from './guard-chains.js';
import { isMessageHandler, isRoute } from './handlers.js';
import { classPolicyOf, policyOf, type RoutePolicy } from './route-policy.js';
import { markedOriginalOf, originalOf, type Route, type RouteTable } from './route-table.js';

/** A controller as one module registers it. */
export interface RegisteredController {
  readonly routeClass: RouteClass;
  /** For request scope a placeholder that inherits from the class, whose constructor never ran. */
  readonly instance: object;
  readonly moduleKey: string;
  /** What serves the module; `undefined`: it sees no `K8sAuthModule`. */
  readonly root: InboundRoot | undefined;
}

/** What startup has learned about all controllers. */
export interface CompiledRoutes {
  /** Each names a class or a `Class.method` and what was expected. Startup must fail. */
  readonly mistakes: Set<string>;
  /** Root -> audience -> the routes that require it. */
  readonly audiences: Map<InboundRoot, Map<string, string[]>>;
  /** Routes and message handlers with neither `@K8sAuth` nor `@Public`. */
  readonly undecorated: string[];
  readonly undecoratedMessages: string[];
  isAnyRouteProtected: boolean;
}

/** @internal */
export class RouteCompiler {
  readonly compiled: CompiledRoutes = {
    mistakes: new Set(),
    audiences: new Map(),
    undecorated: [],
    undecoratedMessages: [],
    isAnyRouteProtected: false,
  };

  constructor(
    private readonly table: RouteTable,
    private readonly chains: GuardChains,
    private readonly scanner: MetadataScanner,
  ) {}

  /**
   * @returns the controller's routes and message handlers, where decorators of ours are involved: name -> function, or
   *   none where the class alone declares something, so that any function of it is covered
   */
  add(controller: RegisteredController): ReadonlyMap<string, RouteHandler> | undefined {
    const { routeClass, instance } = controller;
    const { mistakes } = this.compiled;
    const isInvolved = isDecorated(routeClass, instance);
    if (!isIdentified(routeClass, instance)) {
      if (isInvolved) {
        mistakes.add(
          `${routeClass.name}: expected the class that Nest creates to be the constructor of its instances, ` +
            'because otherwise nobody can tell which decorators count (a mixin, a Proxy or a constructor changed it)',
        );
      }
      return undefined;
    }
    if (isInvolved) this.table.noteInvolved(routeClass);
    for (const link of lineageOf(routeClass)) {
      findDeclarationMistakes(link.name, declarationOf(link)).forEach((mistake) => mistakes.add(mistake));
    }
    const prototype = routeClass.prototype as Record<string, RouteHandler>;
    const names = this.scanner.getAllMethodNames(prototype);
    const methods = names
      .map((name) => [name, prototype[name] as RouteHandler] as const)
      .filter(([, method]) => isRoute(method) || isMessageHandler(method));
    for (const [name, method] of methods) this.addMethod(name, method, controller);
    if (names.some((name) => isDeclared(methodDeclarationOf(routeClass, name)))) {
      return isInvolved ? new Map(methods) : undefined;
    }
    const route = toRoute(`${routeClass.name}.*`, classPolicyOf(routeClass), controller.root);
    this.table.add(routeClass, undefined, route);
    return isInvolved ? new Map() : undefined;
  }

  private addMethod(name: string, method: RouteHandler, controller: RegisteredController): void {
    const { routeClass, instance } = controller;
    const { mistakes, undecorated, undecoratedMessages } = this.compiled;
    const label = `${routeClass.name}.${name}`;
    const policy = policyOf(routeClass, name);
    findDeclarationMistakes(label, methodDeclarationOf(routeClass, name)).forEach((one) => mistakes.add(one));
    if (policy.kind === 'undecorated') (isRoute(method) ? undecorated : undecoratedMessages).push(label);
    const handler: unknown = Reflect.get(instance, name);
    if (policy.kind !== 'undecorated' && !isStandIn(handler, method, instance, name)) {
      mistakes.add(
        `${label}: expected the instance to keep the method, or a function that stands for it alone`,
      );
      return;
    }
    const route = toRoute(label, policy, controller.root);
    if (policy.kind === 'protected') this.checkProtected(route, handler as RouteHandler, controller);
    const handlers = new Set([method, ...(typeof handler === 'function' ? [handler] : [])]);
    this.table.add(routeClass, handlers, route);
  }

  private checkProtected(
    { label, policy, audiences }: Route,
    handler: RouteHandler,
    { instance, moduleKey, root }: RegisteredController,
  ): void {
    const { mistakes, audiences: byRoot } = this.compiled;
    this.compiled.isAnyRouteProtected = true;
    if (!root) {
      mistakes.add(`${label}: expected K8sAuthModule in the imports of its module because of @K8sAuth`);
      return;
    }
    if (!this.chains.includesGuardOf(root, instance, handler, moduleKey)) {
      mistakes.add(
        `${label}: expected K8sAuthGuard among the guards that Nest runs, but another decorator has replaced the ` +
          'class, the function or its guards',
      );
    }
    if (!root.verifier) mistakes.add(`${label}: expected option 'verifier' because of @K8sAuth`);
    if (audiences.length === 0) mistakes.add(`${label}: ${audienceMistakeOf(policy)}`);
    const byAudience = byRoot.get(root) ?? new Map<string, string[]>();
    byRoot.set(root, byAudience);
    for (const audience of audiences) byAudience.set(audience, [...(byAudience.get(audience) ?? []), label]);
  }
}

/** Whether any decorator of ours stands on what a request for this controller could mean. */
function isDecorated(routeClass: RouteClass, instance: object): boolean {
  return possibleClassesOf(routeClass, instance).some((possible) => {
    const prototype = possible.prototype as object | null | undefined;
    return (
      isDeclared(declarationOf(possible)) ||
      (prototype &&
        (declaredMethodsOf(prototype).size > 0 ||
          ownMethodsOf(prototype).some(
            ([, method]) => isDeclared(declarationOf(method)) || foreignHomesOf(method, possible).length > 0,
          )))
    );
  });
}

/** Whether a function of the instance can only stand for this method of its class. */
function isStandIn(handler: unknown, method: RouteHandler, instance: object, name: string): boolean {
  // A getter or a Proxy that makes a function at each read would show Nest another one than us.
  if (typeof handler !== 'function' || Reflect.get(instance, name) !== handler) return false;
  if (handler === method) return true;
  const original = markedOriginalOf(handler);
  return original ? original === originalOf(method) : !isDeclared(declarationOf(handler));
}

function toRoute(label: string, policy: RoutePolicy, root: InboundRoot | undefined): Route {
  if (policy.kind !== 'protected' || !root) return { label, policy, audiences: [] };
  // Not `??`: a `null` that slipped in is a mistake, and must not mean the module's audience.
  const audience: unknown = policy.audience === undefined ? root.audience : policy.audience;
  return { label, policy, audiences: readAudiences(audience) ?? [], root };
}
