import { type ExecutionContext } from '@nestjs/common';
import { type AuthorizationRule } from '../authorization/authorization-rule.js';

/** A class as Nest's contexts give it. */
export type RouteClass = ReturnType<ExecutionContext['getClass']>;
/** A method as Nest's contexts give it. */
export type RouteHandler = ReturnType<ExecutionContext['getHandler']>;

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
  | { readonly kind: 'undecorated' };

/** One `@K8sAuth(…)`, as written. */
export interface K8sAuthDemand {
  readonly audience: string | undefined;
  readonly rules: readonly AuthorizationRule[];
}

/** What one class or one method says about itself. */
export interface Declaration {
  readonly demands: readonly K8sAuthDemand[];
  readonly isPublic: boolean;
}

const DEMANDS = 'K8S_AUTH:DEMANDS';
const PUBLIC = 'K8S_AUTH:PUBLIC';
const METHODS = 'K8S_AUTH:METHODS';

/** Adds to what the class or method says already: no rule is lost when two decorators are composed. @internal */
export function declareDemand(target: object, demand: K8sAuthDemand): void {
  Reflect.defineMetadata(DEMANDS, [...readDeclaration(target).demands, demand], target);
}

/** Where a demand was written, which a decorator above it cannot take away. @internal */
export function rememberDemandingMethod(prototype: object, name: string | symbol): void {
  Reflect.defineMetadata(METHODS, [...demandingMethodsOf(prototype), name], prototype);
}

/**
 * Methods of this very class that `@K8sAuth` was written on, but whose function of today knows nothing of it: a
 * decorator above put another in its place, without the metadata, and Nest would call that one unguarded.
 * @internal
 */
export function lostMethodsOf(routeClass: RouteClass): string[] {
  const prototype: unknown = routeClass.prototype;
  if (typeof prototype !== 'object' || prototype === null) return [];
  return demandingMethodsOf(prototype)
    .filter((name) => {
      const method: unknown = Reflect.get(prototype, name);
      return typeof method !== 'function' || readDeclaration(method).demands.length === 0;
    })
    .map(String);
}

function demandingMethodsOf(prototype: object): (string | symbol)[] {
  return (Reflect.getOwnMetadata(METHODS, prototype) as (string | symbol)[] | undefined) ?? [];
}

/** @internal */
export function declarePublic(target: object): void {
  Reflect.defineMetadata(PUBLIC, true, target);
}

/** Own metadata only: Reflect's inheritance would hand a base class's `@Public` to its subclasses. @internal */
export function readDeclaration(target: object): Declaration {
  return {
    demands: (Reflect.getOwnMetadata(DEMANDS, target) as K8sAuthDemand[] | undefined) ?? [],
    isPublic: Reflect.getOwnMetadata(PUBLIC, target) === true,
  };
}

/** How mistakes and log lines name a route. @internal */
export function routeNameOf(routeClass: RouteClass, handler: RouteHandler): string {
  return `${routeClass.name}.${handler.name}`;
}

/** The class and its bases, nearest first. @internal */
export function lineageOf(routeClass: RouteClass): RouteClass[] {
  const lineage: RouteClass[] = [];
  let current: unknown = routeClass;
  while (typeof current === 'function' && current !== Function.prototype) {
    lineage.push(current as RouteClass);
    current = Object.getPrototypeOf(current);
  }
  return lineage;
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
