import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import {
  isDeclared,
  type K8sAuthDemand,
  lineageOf,
  ownMethodsOf,
  readDeclaration,
  type RouteClass,
  type RouteHandler,
} from './route-declaration.js';
import { type RoutePolicy, routePolicyOf } from './route-policy.js';

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

/**
 * A demand of a base class's method that does not hold for the override that is a route in its place. An override
 * that says `@K8sAuth` or `@Public` itself is meant that way.
 * @returns both as `Class.method`
 * @internal
 */
export function findDemandLostByOverriding(
  name: string,
  routeClass: RouteClass,
  method: RouteHandler,
): { readonly override: string; readonly overridden: string } | undefined {
  if (isDeclared(method)) return undefined;
  const [own, ...bases] = definitionsOf(name, routeClass);
  const base = bases.find((definition) => isDeclared(definition.method));
  if (!own || !base) return undefined;
  const policy = routePolicyOf(routeClass, method);
  const isAllMet = readDeclaration(base.method).demands.every((demand) => isMet(demand, policy));
  return isAllMet ? undefined : { override: own.label, overridden: base.label };
}

/** The override and what it overrides, nearest first. */
function definitionsOf(name: string, routeClass: RouteClass): { label: string; method: RouteHandler }[] {
  return lineageOf(routeClass).flatMap((link) => {
    const method = ownMethodsOf(link).get(name);
    return method ? [{ label: `${link.name}.${name}`, method }] : [];
  });
}

function isMet({ audience, rules }: K8sAuthDemand, policy: RoutePolicy): boolean {
  return (
    policy.kind === 'protected' &&
    policy.audience === audience &&
    rules.every((rule) => policy.rules.includes(rule))
  );
}
