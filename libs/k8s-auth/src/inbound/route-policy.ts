import { type AuthorizationRule } from '../authorization/authorization-rule.js';
import { isReplaced } from './replaced-handler.js';
import { lineageOf, readDeclaration, type RouteClass, type RouteHandler } from './route-declaration.js';

/** What a route asks for. */
export type RoutePolicy =
  | {
      readonly kind: 'protected';
      /** `undefined`: the module's audience. */
      readonly audience: string | undefined;
      /** All have to hold. */
      readonly rules: readonly AuthorizationRule[];
    }
  | { readonly kind: 'public' }
  | { readonly kind: 'undecorated' }
  /** What it asked for is lost, see isReplaced: nobody can be let in. */
  | { readonly kind: 'replaced' };

/** How mistakes and log lines name a route. @internal */
export function routeNameOf(routeClass: RouteClass, handler: RouteHandler): string {
  return `${routeClass.name}.${handler.name}`;
}

// Decorators run once, when their class is defined: what they said does not change, so it is read once.
const policies = new WeakMap<RouteClass, WeakMap<RouteHandler, RoutePolicy>>();

/** @internal */
export function routePolicyOf(routeClass: RouteClass, handler: RouteHandler): RoutePolicy {
  let ofClass = policies.get(routeClass);
  if (!ofClass) policies.set(routeClass, (ofClass = new WeakMap()));
  let policy = ofClass.get(handler);
  if (!policy) ofClass.set(handler, (policy = readPolicy(routeClass, handler)));
  return policy;
}

/**
 * The audience of a protected route.
 * @returns `undefined` where there is none that a token would be made for: neither named, or no text, or one that is
 * empty or has white space around it
 * @internal
 */
export function audienceOf(
  { audience }: Extract<RoutePolicy, { kind: 'protected' }>,
  moduleAudience: string | undefined,
): string | undefined {
  // Not `??`: a `null` that slipped in is a mistake, and must not mean the module's.
  const effective: unknown = audience === undefined ? moduleAudience : audience;
  return typeof effective === 'string' && effective !== '' && effective === effective.trim()
    ? effective
    : undefined;
}

/**
 * The method wins over the class, the class over its bases; `@K8sAuth` reaches subclasses, `@Public` does not. Where
 * both stand on one target the boot check refuses; here the closed reading holds.
 */
function readPolicy(routeClass: RouteClass, handler: RouteHandler): RoutePolicy {
  if (isReplaced(routeClass, handler)) return { kind: 'replaced' };
  const method = readDeclaration(handler);
  const own = readDeclaration(routeClass);
  const inherited = lineageOf(routeClass).flatMap((link) => readDeclaration(link).demands);
  const demands = [...method.demands, ...inherited];
  if (method.demands.length === 0) {
    if (method.isPublic) return { kind: 'public' };
    if (own.isPublic && own.demands.length === 0) return { kind: 'public' };
  }
  const [nearest] = demands;
  if (!nearest) return { kind: 'undecorated' };
  return { kind: 'protected', audience: nearest.audience, rules: demands.flatMap(({ rules }) => rules) };
}
