import { type ExecutionContext } from '@nestjs/common';
import { type RouteClass, type RouteHandler } from './controller-class.js';
import { isSamePolicy, type RoutePolicy } from './route-policy.js';

/** Everything that the guard needs to know about one route, computed at startup. */
export interface Route {
  /** `OrdersController.list` */
  readonly label: string;
  readonly policy: RoutePolicy;
  /** What the token must be issued for: one of these. Empty for routes that need no token. */
  readonly audiences: readonly string[];
  /** The `forRoot` that serves a protected route: its verifier decides. Compared by identity. */
  readonly root?: object;
}

/**
 * What a request can mean: one route; a route that another `forRoot` serves, whose own guard decides; nothing that
 * startup has seen; or several routes that differ in what they require.
 */
export type RouteMatch = Route | 'served-by-other-root' | 'unknown' | 'ambiguous';

interface ClassRoutes {
  readonly byHandler: Map<RouteHandler, Route[]>;
  /** For every handler, where no method of the class declares anything itself. */
  readonly ofClass: Route[];
  /** Any decorator of ours stands on the class, its bases or its methods. */
  isInvolved: boolean;
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
export class RouteTable {
  private readonly classes = new Map<RouteClass, ClassRoutes>();

  /** @param handlers every function that Nest may call for this route; `undefined`: any function of the class */
  add(routeClass: RouteClass, handlers: ReadonlySet<RouteHandler> | undefined, route: Route): void {
    const known = this.classRoutes(routeClass);
    if (!handlers) known.ofClass.push(route);
    for (const handler of handlers ?? []) {
      known.byHandler.set(handler, [...(known.byHandler.get(handler) ?? []), route]);
    }
  }

  /** From now on, functions of this class that are not in the table are refused. */
  noteInvolved(routeClass: RouteClass): void {
    this.classRoutes(routeClass).isInvolved = true;
  }

  isInvolved(routeClass: RouteClass): boolean {
    return this.classes.get(routeClass)?.isInvolved ?? false;
  }

  /** @param root the asking guard's own: a controller may be registered in the modules of several */
  find(context: ExecutionContext, root?: object): RouteMatch {
    const known = this.classes.get(context.getClass());
    if (!known) return 'unknown';
    const handler = context.getHandler();
    const routes = known.byHandler.get(handler) ?? known.byHandler.get(originalOf(handler)) ?? known.ofClass;
    const own = routes.filter((route) => route.root === undefined || route.root === root);
    return own.length === 0 && routes.length > 0 ? 'served-by-other-root' : matchOf(own);
  }

  private classRoutes(routeClass: RouteClass): ClassRoutes {
    const known = this.classes.get(routeClass) ?? { byHandler: new Map(), ofClass: [], isInvolved: false };
    this.classes.set(routeClass, known);
    return known;
  }
}

function matchOf([first, ...others]: readonly Route[]): RouteMatch {
  if (!first) return 'unknown';
  return others.every((other) => isSamePolicy(other.policy, first.policy)) ? first : 'ambiguous';
}
