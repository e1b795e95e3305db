import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { findDemandLostByOverriding, isLostOnInstance } from './lost-protection.js';
import {
  type Declaration,
  lineageOf,
  lostMethodsOf,
  readDeclaration,
  type RouteClass,
  type RouteHandler,
} from './route-declaration.js';
import { audienceOf, routePolicyOf } from './route-policy.js';

/** What is checked, and against what. */
export interface RouteCheckInput {
  /** Nest's wrappers of all controllers. Those of request scope have an instance whose constructor never ran. */
  readonly controllers: readonly { readonly metatype: unknown; readonly instance?: unknown }[];
  /** Nest's MetadataScanner. */
  readonly scanner: { getAllMethodNames(prototype: object | null): string[] };
  /** The module's option. */
  readonly audience: string | undefined;
  readonly hasVerifier: boolean;
}

/** What the routes of an application ask for, taken together. */
export interface RouteCheck {
  /** Each names a class or a `Class.method` and what was expected. The boot must stop. */
  readonly mistakes: readonly string[];
  /** Audience -> the routes that take it. */
  readonly audiences: ReadonlyMap<string, readonly string[]>;
  /** Routes with neither `@K8sAuth` nor `@Public`: refused where the guard is global, open where it is not. */
  readonly undecorated: readonly string[];
}

/**
 * Reads every route once, before the first request, so that a mistake in a decorator stops the boot and not a caller.
 * Inherited handlers are routes of the subclass, as Nest sees it.
 * @internal
 */
export function checkRoutes(input: RouteCheckInput): RouteCheck {
  const check = {
    mistakes: new Set<string>(),
    audiences: new Map<string, string[]>(),
    undecorated: [] as string[],
  };
  for (const [routeClass, instances] of instancesByClass(input.controllers)) {
    for (const link of lineageOf(routeClass)) {
      addMistakesOf(link.name, readDeclaration(link), check.mistakes);
      for (const name of lostMethodsOf(link))
        check.mistakes.add(
          `${link.name}.${name}: expected decorators above @K8sAuth to keep the metadata of the method`,
        );
    }
    for (const [name, handler] of routesOf(routeClass, input.scanner)) {
      addLosses(name, routeClass, handler, instances, check.mistakes);
      addMistakesOf(`${routeClass.name}.${name}`, readDeclaration(handler), check.mistakes);
      checkRoute(`${routeClass.name}.${name}`, routeClass, handler, input, check);
    }
  }
  return { ...check, mistakes: [...check.mistakes] };
}

/** A controller may stand in several modules, with an instance in each. */
function instancesByClass(controllers: RouteCheckInput['controllers']): Map<RouteClass, unknown[]> {
  const byClass = new Map<RouteClass, unknown[]>();
  for (const { metatype, instance } of controllers) {
    if (typeof metatype !== 'function') continue;
    const routeClass = metatype as RouteClass;
    byClass.set(routeClass, [...(byClass.get(routeClass) ?? []), instance]);
  }
  return byClass;
}

/** What was said of a method, and does not hold for the function that is the route. */
function addLosses(
  name: string,
  routeClass: RouteClass,
  handler: RouteHandler,
  instances: readonly unknown[],
  mistakes: Set<string>,
): void {
  if (instances.some((instance) => isLostOnInstance(instance, name, routeClass, handler)))
    mistakes.add(
      `${routeClass.name}.${name}: expected the instance to keep the method, or the metadata of the method`,
    );
  const lost = findDemandLostByOverriding(name, routeClass, handler);
  if (lost)
    mistakes.add(
      `${lost.override}: expected @K8sAuth or @Public because it overrides ${lost.overridden}, which has @K8sAuth`,
    );
}

/** The methods that Nest makes routes of, see its PathsExplorer. */
function routesOf(routeClass: RouteClass, scanner: RouteCheckInput['scanner']): [string, RouteHandler][] {
  const prototype = routeClass.prototype as Record<string, RouteHandler>;
  return scanner
    .getAllMethodNames(prototype)
    .map((name): [string, RouteHandler] => [name, prototype[name] as RouteHandler])
    .filter(
      ([, handler]) =>
        Reflect.hasMetadata(PATH_METADATA, handler) && Reflect.hasMetadata(METHOD_METADATA, handler),
    );
}

function checkRoute(
  route: string,
  routeClass: RouteClass,
  handler: RouteHandler,
  { audience: moduleAudience, hasVerifier }: RouteCheckInput,
  check: { mistakes: Set<string>; audiences: Map<string, string[]>; undecorated: string[] },
): void {
  const policy = routePolicyOf(routeClass, handler);
  if (policy.kind === 'undecorated') check.undecorated.push(route);
  if (policy.kind !== 'protected') return;
  if (!hasVerifier) check.mistakes.add(`${route}: expected option 'verifier' because of @K8sAuth`);
  const audience = audienceOf(policy, moduleAudience);
  if (audience !== undefined)
    check.audiences.set(audience, [...(check.audiences.get(audience) ?? []), route]);
  else if (policy.audience === undefined)
    check.mistakes.add(`${route}: expected an audience, as argument of @K8sAuth or as option 'audience'`);
  else
    check.mistakes.add(
      `${route}: expected the audience of @K8sAuth to be a text, not empty and without white space around it`,
    );
}

/** What is wrong with one class or one method, whatever the rest says. */
function addMistakesOf(target: string, { demands, isPublic }: Declaration, mistakes: Set<string>): void {
  if (isPublic && demands.length > 0) mistakes.add(`${target}: expected @K8sAuth or @Public, not both`);
  if (new Set(demands.map(({ audience }) => audience)).size > 1)
    mistakes.add(`${target}: expected one audience, not several @K8sAuth with different ones`);
  demands
    .flatMap(({ rules }) => rules)
    .forEach((rule: unknown, index) => {
      if (typeof rule !== 'function')
        mistakes.add(`${target}: expected rule ${index + 1} of @K8sAuth to be a function`);
    });
}
