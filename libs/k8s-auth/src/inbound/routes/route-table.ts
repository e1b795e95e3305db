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
import { RouteSummary } from './route-summary.js';

type Match = Exclude<RouteMatch, 'unknown'>;

interface ClassRoutes {
  readonly byHandler: Map<RouteHandler, Match>;
  /** For functions of no known method. Only set if no method of the class has a declaration of its own. */
  ofClass?: Match;
}

/** @internal */
export function markOriginal(method: RouteHandler): void {
  Reflect.defineMetadata(ORIGINAL, method, method);
}

/** The routed function that this function is, or wraps; `undefined` if the metadata does not tell. @internal */
export function markedOriginalOf(method: RouteHandler): RouteHandler | undefined {
  return Reflect.getMetadata(ORIGINAL, method) as RouteHandler | undefined;
}

/** @internal */
export function originalOf(method: RouteHandler): RouteHandler {
  return markedOriginalOf(method) ?? method;
}

/** Whether a function of the instance can only be this method of its class, or a replacement of it. @internal */
export function isReplacementOf(
  handler: unknown,
  method: RouteHandler,
  instance: object,
  name: string,
): boolean {
  // A getter or a Proxy may make a new function at each read. Then Nest calls another function than the one checked here.
  if (typeof handler !== 'function' || Reflect.get(instance, name) !== handler) return false;
  if (handler === method) return true;
  const original = markedOriginalOf(handler);
  if (original) return original === originalOf(method);
  // A wrapper that was made before the method was marked has the same declaration object as the method.
  return !carriesDeclaration(handler) || carriesDeclarationOf(handler, method);
}

/**
 * The routes of one application. Maps a class and a function, as in Nest's execution context, to what the decorators
 * require. Filled once, at startup. Startup has not checked a class and function that are not in the table.
 * @internal
 */
export class RouteTable implements RouteFinder {
  readonly summary = new RouteSummary();
  private readonly classes = new Map<RouteClass, ClassRoutes>();
  private readonly decoratedTargets = new Set<RouteClass | RouteHandler>();
  private readonly protected = new Set<RouteClass | RouteHandler>();
  private readonly shared = new Set<string>();

  /** @param handlers every function that Nest may call for this route; `undefined` means any function of the class */
  add(routeClass: RouteClass, handlers: ReadonlySet<RouteHandler> | undefined, route: Route): void {
    const known: ClassRoutes = this.classes.get(routeClass) ?? { byHandler: new Map() };
    this.classes.set(routeClass, known);
    if (!handlers) known.ofClass = this.combine(known.ofClass, route);
    for (const handler of handlers ?? []) {
      known.byHandler.set(handler, this.combine(known.byHandler.get(handler), route));
    }
  }

  /** Call this for each class or function with our decorators. A call that matches no known route is refused then. */
  noteDecoratedTarget(classOrHandler: RouteClass | RouteHandler): void {
    this.decoratedTargets.add(classOrHandler);
  }

  /** Whether the class or the function that a request reaches has our decorators. */
  reachesDecoratedTarget(context: ExecutionContext): boolean {
    return (
      this.decoratedTargets.has(context.getClass()) ||
      this.decoratedTargets.has(originalOf(context.getHandler()))
    );
  }

  /** Call this for each protected handler, of a controller or of a provider. */
  noteProtected(routeClass: RouteClass, handler: RouteHandler): void {
    this.protected.add(routeClass).add(handler);
  }

  /** Whether a function that is not in the table may be a protected handler, or may replace one. */
  mayBeProtected(context: ExecutionContext): boolean {
    const routeClass = context.getClass();
    const handler = originalOf(context.getHandler());
    const targets = [context.getHandler(), handler, ...lineageOf(routeClass)];
    if (this.protected.has(handler) || targets.some((one) => declarationOf(one).demands.length > 0))
      return true;
    // If the class does not have the function, it may be any of its handlers, bound in the constructor.
    const isOfClass = prototypesOf(routeClass).some((link) =>
      ownMethodsOf(link).some(([, method]) => method === handler),
    );
    return this.protected.has(routeClass) && !isOfClass;
  }

  hasClass(routeClass: RouteClass): boolean {
    return this.classes.has(routeClass);
  }

  /** Whether any registered controller has our decorators. */
  hasDecoratedTargets(): boolean {
    return this.decoratedTargets.size > 0;
  }

  find(context: ExecutionContext): RouteMatch {
    const ofHandler = this.findByHandler(context);
    if (ofHandler) return ofHandler;
    const ofClass = hasOwnPolicy(context.getHandler())
      ? undefined
      : this.classes.get(context.getClass())?.ofClass;
    return ofClass ?? 'unknown';
  }

  /** Every route of a known function, once. A function of several routes with different requirements is not listed. */
  list(): readonly Route[] {
    const matches = [...this.classes.values()].flatMap(({ byHandler }) => [...byHandler.values()]);
    return [...new Set(matches)].filter((match) => match !== 'ambiguous');
  }

  /** Whether the table has the function itself, and not only its class. */
  hasHandler(context: ExecutionContext): boolean {
    return this.findByHandler(context) !== undefined;
  }

  private findByHandler(context: ExecutionContext): Match | undefined {
    const byHandler = this.classes.get(context.getClass())?.byHandler;
    const handler = context.getHandler();
    return byHandler && (byHandler.get(handler) ?? byHandler.get(originalOf(handler)));
  }

  /** One mistake for each protected route that belongs to several roots. */
  findSharedRoutes(): string[] {
    return [...this.shared].map(
      (label) =>
        `${label}: expected one forRoot to serve it, because a request does not show which module of the controller it is for`,
    );
  }

  private combine(known: Match | undefined, route: Route): Match {
    if (known === undefined || known === 'ambiguous') return known ?? route;
    if (known.root && route.root && known.root !== route.root) this.shared.add(route.label);
    const isSame = isSamePolicy(known.policy, route.policy) && known.enforce === route.enforce;
    return isSame ? known : 'ambiguous';
  }
}

/** A routed method, or a function with its own decorators. The policy of its current class does not apply to it. */
function hasOwnPolicy(handler: RouteHandler): boolean {
  return markedOriginalOf(handler) !== undefined || carriesDeclaration(handler);
}
