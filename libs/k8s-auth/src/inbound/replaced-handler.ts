import { PATH_METADATA } from '@nestjs/common/constants.js';
import { UndecoratedRouteError } from '../errors/index.js';
import {
  isDeclared,
  lineageOf,
  ownMethodsOf,
  type RouteClass,
  type RouteHandler,
} from './route-declaration.js';

interface Methods {
  readonly all: ReadonlySet<RouteHandler>;
  /** Whether a decorator of ours stands on any of them. */
  readonly areDeclared: boolean;
}

// Controllers of request scope may bring a new function with each request: only the look at their classes is kept.
const methods = new WeakMap<RouteClass, Methods>();

/**
 * Whether a function took the place of a method on the instance, as `this.find = this.find.bind(this)` does, and left
 * behind what decorators said of the method. Nest routes the instance's functions but never says which method one was,
 * so any demand of the class's methods may be the one that is lost. Where only classes are decorated none can be.
 *
 * A function with a method's metadata (instrumentation copies all of it) stands for that method.
 * @internal
 */
export function isReplaced(routeClass: RouteClass, handler: RouteHandler): boolean {
  let known = methods.get(routeClass);
  if (!known) methods.set(routeClass, (known = readMethods(routeClass)));
  return known.areDeclared && !known.all.has(handler) && !Reflect.hasMetadata(PATH_METADATA, handler);
}

function readMethods(routeClass: RouteClass): Methods {
  const all = new Set(lineageOf(routeClass).flatMap((link) => [...ownMethodsOf(link).values()]));
  return { all, areDeclared: [...all].some(isDeclared) };
}

/** @internal */
export function replacedHandlerError(): UndecoratedRouteError {
  return new UndecoratedRouteError('handler is no method of its class and has no metadata of one');
}
