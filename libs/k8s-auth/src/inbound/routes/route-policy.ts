import { type AuthorizationRule } from '../../authorization/authorization-rule.js';
import { audienceKeyOf } from '../../identity/audiences.js';
import { lineageOf, type RouteClass } from './controller-class.js';
import { declarationOf, foreignHomesOf, type K8sAuthDemand, methodDeclarationOf } from './declarations.js';

/** What a route requires of its callers. */
export type RoutePolicy =
  | {
      readonly kind: 'protected';
      /** As the decorator names it; `undefined`: the module's audience. */
      readonly audience: K8sAuthDemand['audience'];
      /** All of them must allow the caller. */
      readonly rules: readonly AuthorizationRule[];
    }
  | { readonly kind: 'public' }
  | { readonly kind: 'undecorated' };

/**
 * A method's declaration overrides that of its class for audience and `@Public`; the rules of both apply. `@K8sAuth`
 * reaches subclasses, `@Public` does not. Where both stand on one target, startup fails; here the closed reading holds.
 * @internal
 */
export function policyOf(routeClass: RouteClass, name: string): RoutePolicy {
  const method: unknown = Reflect.get(routeClass.prototype as object, name);
  const homes = typeof method === 'function' ? foreignHomesOf(method, routeClass) : [];
  const { demands, isPublic } = methodDeclarationOf(routeClass, name);
  if (isPublic && demands.length === 0) return { kind: 'public' };
  return policyFrom(demands, routeClass, homes);
}

/** The policy of every method that declares nothing itself. @internal */
export function classPolicyOf(routeClass: RouteClass): RoutePolicy {
  return policyFrom([], routeClass, []);
}

/** Whether two routes admit the same callers: then it does not matter which of them is meant. @internal */
export function isSamePolicy(one: RoutePolicy, other: RoutePolicy): boolean {
  if (one.kind !== 'protected' || other.kind !== 'protected') return one.kind === other.kind;
  return (
    audienceKeyOf(one.audience) === audienceKeyOf(other.audience) &&
    one.rules.every((rule) => other.rules.includes(rule)) &&
    other.rules.every((rule) => one.rules.includes(rule))
  );
}

function policyFrom(
  ofMethod: readonly K8sAuthDemand[],
  routeClass: RouteClass,
  homes: readonly RouteClass[],
): RoutePolicy {
  const own = declarationOf(routeClass);
  const isOpened = own.isPublic && own.demands.length === 0;
  // A method that was copied from a class with @K8sAuth stays closed, whatever the class says that it was copied to.
  if (isOpened && ofMethod.length === 0 && homes.length === 0) return { kind: 'public' };
  const classes = [...new Set([routeClass, ...homes].flatMap(lineageOf))];
  const demands = [...ofMethod, ...classes.flatMap((link) => declarationOf(link).demands)];
  const [nearest] = demands;
  if (!nearest) return { kind: 'undecorated' };
  return { kind: 'protected', audience: nearest.audience, rules: demands.flatMap(({ rules }) => rules) };
}
