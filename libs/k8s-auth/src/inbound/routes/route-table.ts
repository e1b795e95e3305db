import { type ExecutionContext } from '@nestjs/common';
import { type InboundRoot, type Route, type RouteFinder, type RouteMatch } from '../inbound-root.js';
import { type RouteClass, type RouteHandler } from './controller-class.js';
import { declarationOf, isDeclared } from './declarations.js';
import { isSamePolicy } from './route-policy.js';

interface ClassRoutes {
  readonly byHandler: Map<RouteHandler, Route[]>;
  /** For functions that stand for no method in particular, where no method of the class declares anything itself. */
  readonly ofClass: Route[];
}

/** On each function that Nest routes: itself. A wrapper that copies the function's metadata leads back to it. */
const ORIGINAL = Symbol.for('nest-k8s-auth:original');

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

/**
 * The routes of one application: class and function, as Nest's contexts name them, to what the decorators require.
 * Filled once, at startup; a pair that is not in it is not a route that anybody has checked.
 * @internal
 */
export class RouteTable implements RouteFinder {
  private readonly classes = new Map<RouteClass, ClassRoutes>();
  private readonly concerned = new Set<RouteClass | RouteHandler>();

  /** @param handlers every function that Nest may call for this route; `undefined`: any function of the class */
  add(routeClass: RouteClass, handlers: ReadonlySet<RouteHandler> | undefined, route: Route): void {
    const known: ClassRoutes = this.classes.get(routeClass) ?? { byHandler: new Map(), ofClass: [] };
    this.classes.set(routeClass, known);
    if (!handlers) known.ofClass.push(route);
    for (const handler of handlers ?? []) {
      known.byHandler.set(handler, [...(known.byHandler.get(handler) ?? []), route]);
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

  /** @param root the asking guard's own: a controller may be registered in the modules of several */
  find(context: ExecutionContext, root?: InboundRoot): RouteMatch {
    const known = this.classes.get(context.getClass());
    if (!known) return 'unknown';
    const handler = context.getHandler();
    const ofHandler = known.byHandler.get(handler) ?? known.byHandler.get(originalOf(handler));
    const routes = ofHandler ?? (standsForAnother(handler) ? [] : known.ofClass);
    const roots = new Set(routes.flatMap((route) => route.root ?? []));
    const own = root ?? (roots.size === 1 ? [...roots][0] : undefined);
    const candidates = routes.filter((route) => route.root === undefined || route.root === own);
    return candidates.length === 0 && routes.length > 0 ? 'served-by-other-root' : matchOf(candidates);
  }

  /** Protected routes of one controller that several roots serve. */
  findSharedRoutes(): string[] {
    const all = [...this.classes.values()].flatMap(({ byHandler }) => [...byHandler.values()]);
    const isShared = (routes: readonly Route[]) => new Set(routes.flatMap(({ root }) => root ?? [])).size > 1;
    return all.filter(isShared).flatMap(([route]) => route?.label ?? []);
  }
}

/** A routed method, or a function with decorators of its own: it does not stand for whatever class it is found on. */
function standsForAnother(handler: RouteHandler): boolean {
  return markedOriginalOf(handler) !== undefined || isDeclared(declarationOf(handler));
}

function matchOf([first, ...others]: readonly Route[]): RouteMatch {
  if (!first) return 'unknown';
  return others.every((other) => isSamePolicy(other.policy, first.policy)) ? first : 'ambiguous';
}
