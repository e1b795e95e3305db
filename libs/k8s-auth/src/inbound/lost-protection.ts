import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { isDeclared, readDeclaration, type RouteClass, type RouteHandler } from './route-declaration.js';
import { routePolicyOf } from './route-policy.js';

/**
 * Whether Nest, which routes and guards the functions of the instance, would find there less than decorators said of
 * the method.
 * @internal
 */
export function isLostOnInstance(
  instance: unknown,
  name: string,
  routeClass: RouteClass,
  method: RouteHandler,
): boolean {
  if (typeof instance !== 'object' || instance === null) return false;
  const actual: unknown = Reflect.get(instance, name);
  if (actual === method) return false;
  if (typeof actual !== 'function') return isDeclared(method);
  return !carriesOn(method, actual) || routePolicyOf(routeClass, actual).kind === 'replaced';
}

function carriesOn(method: RouteHandler, actual: object): boolean {
  const said = readDeclaration(method);
  const kept = readDeclaration(actual);
  return (
    said.demands.every((demand) => kept.demands.includes(demand)) &&
    (kept.isPublic || !said.isPublic) &&
    // Where no guard is global, the method's own is the only one.
    (said.demands.length === 0 || Reflect.hasMetadata(GUARDS_METADATA, actual))
  );
}
