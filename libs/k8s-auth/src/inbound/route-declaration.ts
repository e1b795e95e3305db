import { type ExecutionContext } from '@nestjs/common';
import { type AuthorizationRule } from '../authorization/authorization-rule.js';

/** A class as Nest's contexts give it. */
export type RouteClass = ReturnType<ExecutionContext['getClass']>;
/** A method as Nest's contexts give it. */
export type RouteHandler = ReturnType<ExecutionContext['getHandler']>;

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

/** @internal */
export function isDeclared(target: object): boolean {
  const { demands, isPublic } = readDeclaration(target);
  return isPublic || demands.length > 0;
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
  const prototype = prototypeOf(routeClass);
  if (!prototype) return [];
  return demandingMethodsOf(prototype)
    .filter((name) => {
      const method: unknown = Reflect.get(prototype, name);
      return typeof method !== 'function' || readDeclaration(method).demands.length === 0;
    })
    .map(String);
}

/** @internal */
export function hasDemandingMethods(prototype: object): boolean {
  return demandingMethodsOf(prototype).length > 0;
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

/** The functions that stand on a class's prototype, by name. @internal */
export function ownMethodsOf(routeClass: RouteClass): Map<string, RouteHandler> {
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(prototypeOf(routeClass) ?? {}));
  return new Map(
    descriptors
      .map(([name, { value }]): [string, unknown] => [name, value])
      .filter(
        (entry): entry is [string, RouteHandler] =>
          entry[0] !== 'constructor' && typeof entry[1] === 'function',
      ),
  );
}

function prototypeOf(routeClass: RouteClass): object | undefined {
  const prototype: unknown = routeClass.prototype;
  return typeof prototype === 'object' && prototype !== null ? prototype : undefined;
}
