import { type ExecutionContext } from '@nestjs/common';
import { ORIGINAL } from '../inbound.constants.js';
import {
  lineageOf,
  ownMethodsOf,
  prototypesOf,
  type RouteClass,
  type RouteHandler,
} from './controller-class.js';
import { carriesDeclaration, carriesDeclarationOf, declarationOf } from './declarations.js';
import { isSamePolicy, type Route, type RouteFinder, type RouteMatch } from './route.js';

type Match = Exclude<RouteMatch, 'unknown'>;

interface ClassRoutes {
  readonly byHandler: Map<RouteHandler, Match>;
  /** For functions that stand for no method in particular, where no method of the class declares anything itself. */
  ofClass?: Match;
}

/** @internal */
export function markOriginal(method: RouteHandler): void {
  Reflect.defineMetadata(ORIGINAL, method, method);
}

/** The route's function that this one is, or wraps; `undefined` where nothing tells. @internal */
export function markedOriginalOf(method: RouteHandler): RouteHandler | undefined {
  return Reflect.getMetadata(ORIGINAL, method) as RouteHandler | undefined;
}

/** @internal */
export function originalOf(method: RouteHandler): RouteHandler {
  return markedOriginalOf(method) ?? method;
}

/** Whether a function of the instance can only stand for this method of its class. @internal */
export function isStandIn(handler: unknown, method: RouteHandler, instance: object, name: string): boolean {
  // A getter or a Proxy that makes a function at each read would show Nest another one than us.
  if (typeof handler !== 'function' || Reflect.get(instance, name) !== handler) return false;
  if (handler === method) return true;
  const original = markedOriginalOf(handler);
  if (original) return original === originalOf(method);
  // Wrapped before the method was marked: then it carries the very declaration of the method.
  return !carriesDeclaration(handler) || carriesDeclarationOf(handler, method);
}

/**
 * The routes of one application: class and function, as Nest's contexts name them, to what the decorators require.
 * Filled once, at startup; a pair that is not in it is not a route that anybody has checked.
 * @internal
 */
export class RouteTable implements RouteFinder {
  private readonly classes = new Map<RouteClass, ClassRoutes>();
  private readonly concerned = new Set<RouteClass | RouteHandler>();
  private readonly protected = new Set<RouteClass | RouteHandler>();
  private readonly shared = new Set<string>();

  /** @param handlers every function that Nest may call for this route; `undefined`: any function of the class */
  add(routeClass: RouteClass, handlers: ReadonlySet<RouteHandler> | undefined, route: Route): void {
    const known: ClassRoutes = this.classes.get(routeClass) ?? { byHandler: new Map() };
    this.classes.set(routeClass, known);
    if (!handlers) known.ofClass = this.combine(known.ofClass, route);
    for (const handler of handlers ?? []) {
      known.byHandler.set(handler, this.combine(known.byHandler.get(handler), route));
    }
  }

  /** Decorators of ours stand on this class or function: where it is called as no known route, it is refused. */
  noteConcerned(classOrHandler: RouteClass | RouteHandler): void {
    this.concerned.add(classOrHandler);
  }

  /** Whether decorators of ours stand on the class or the function that a request reaches. */
  concerns(context: ExecutionContext): boolean {
    return this.concerned.has(context.getClass()) || this.concerned.has(originalOf(context.getHandler()));
  }

  /** This handler of the class is protected, on a controller or on a provider. */
  noteProtected(routeClass: RouteClass, handler: RouteHandler): void {
    this.protected.add(routeClass).add(handler);
  }

  /** Whether a function that is no known route may be, or stand for, a protected handler. */
  mayBeProtected(context: ExecutionContext): boolean {
    const routeClass = context.getClass();
    const handler = originalOf(context.getHandler());
    const targets = [context.getHandler(), handler, ...lineageOf(routeClass)];
    if (this.protected.has(handler) || targets.some((one) => declarationOf(one).demands.length > 0))
      return true;
    // A function that its class does not have may be any of its handlers, bound by a constructor.
    const isOfClass = prototypesOf(routeClass).some((link) =>
      ownMethodsOf(link).some(([, method]) => method === handler),
    );
    return this.protected.has(routeClass) && !isOfClass;
  }

  hasClass(routeClass: RouteClass): boolean {
    return this.classes.has(routeClass);
  }

  /** Whether decorators of ours stand on any registered controller. */
  concernsAny(): boolean {
    return this.concerned.size > 0;
  }

  find(context: ExecutionContext): RouteMatch {
    const ofHandler = this.findByHandler(context);
    if (ofHandler) return ofHandler;
    const ofClass = standsForAnother(context.getHandler())
      ? undefined
      : this.classes.get(context.getClass())?.ofClass;
    return ofClass ?? 'unknown';
  }

  /** Whether the function itself is known, and not only the class that it is found on. */
  hasHandler(context: ExecutionContext): boolean {
    return this.findByHandler(context) !== undefined;
  }

  private findByHandler(context: ExecutionContext): Match | undefined {
    const byHandler = this.classes.get(context.getClass())?.byHandler;
    const handler = context.getHandler();
    return byHandler && (byHandler.get(handler) ?? byHandler.get(originalOf(handler)));
  }

  /** A mistake for each protected route of one controller that several roots serve. */
  findSharedRoutes(): string[] {
    return [...this.shared].map(
      (label) =>
        `${label}: expected one forRoot to serve it, because a request does not tell which of its modules is called`,
    );
  }

  private combine(known: Match | undefined, route: Route): Match {
    if (known === undefined || known === 'ambiguous') return known ?? route;
    if (known.root && route.root && known.root !== route.root) this.shared.add(route.label);
    return isSamePolicy(known.policy, route.policy) ? known : 'ambiguous';
  }
}

/** A routed method, or a function with decorators of its own: it does not stand for whatever class it is found on. */
function standsForAnother(handler: RouteHandler): boolean {
  return markedOriginalOf(handler) !== undefined || carriesDeclaration(handler);
}
