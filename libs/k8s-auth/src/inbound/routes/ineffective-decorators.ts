import { CONTROLLER_WATERMARK, METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import {
  lineageOf,
  ownMethodsOf,
  prototypesOf,
  type RouteClass,
  type RouteHandler,
} from './controller-class.js';
import {
  carriesDeclarationOf,
  type Declaration,
  declarationOf,
  declarationOn,
  declaredMethodsOf,
  hasHome,
  isDeclared,
  methodDeclarationOf,
  unregisteredClasses,
} from './declarations.js';
import { type HandlerContext, hasGuards, isRoute } from './guarded-handlers.js';
import { policyOf } from './route.js';

/**
 * Decorators in places where Nest runs no guard: they would promise a protection that is not there.
 * @internal
 */
export function findMisplacedDecorators(routeClass: RouteClass, context: HandlerContext): string[] {
  const prototypes = prototypesOf(routeClass);
  // Not a route: it is registered as a provider, to be called by other classes.
  const isUnroutedController = !context.isController && Reflect.hasMetadata(CONTROLLER_WATERMARK, routeClass);
  const names = new Set(prototypes.flatMap((prototype) => Reflect.ownKeys(prototype)));
  // It is the class itself, which is looked at below.
  names.delete('constructor');
  const members = [...names].map((name) => {
    const owner = prototypes.find((prototype) => Object.hasOwn(prototype, name)) as object;
    const method: unknown = Reflect.getOwnPropertyDescriptor(owner, name)?.value;
    // Nest routes names that are text only.
    const isGuarded =
      typeof name === 'string' && typeof method === 'function' && hasGuards(method, routeClass, context);
    const declaration = declarationOn(owner, name);
    return { name, method, isGuarded, declaration, isMisplaced: !isGuarded && isDeclared(declaration) };
  });
  // Some decorators route copies of a method, which carry its declaration.
  const guarded = members.flatMap(({ isGuarded, method }) => (isGuarded ? [method as object] : []));
  const misplaced = members.filter(
    ({ isMisplaced, method }) =>
      isMisplaced &&
      !isUnroutedController &&
      !(typeof method === 'function' && guarded.some((one) => carriesDeclarationOf(one, method))),
  );
  const statics = lineageOf(routeClass).flatMap((link) => [...declaredMethodsOf(link)]);
  const ofClass = lineageOf(routeClass).map(declarationOf).find(isDeclared);
  const isClassMisplaced =
    !context.isController && !isUnroutedController && !members.some(({ isGuarded }) => isGuarded);
  return [
    ...(ofClass && isClassMisplaced ? [toMistake(routeClass.name, ofClass)] : []),
    ...misplaced.map(({ name, declaration }) => toMistake(`${routeClass.name}.${String(name)}`, declaration)),
    ...statics.map(([name, declaration]) =>
      toMistake(`${routeClass.name}.${String(name)} (static)`, declaration),
    ),
  ];
}

function toMistake(label: string, { demands }: Declaration): string {
  const decorator = demands.length > 0 ? '@K8sAuth' : '@Public';
  return (
    `${label}: ${decorator} has no effect here, because Nest runs guards on routes and message handlers only; ` +
    'move it to a controller'
  );
}

/** A function that Nest routes, and the class that it is found on. */
export interface RoutedMethod {
  readonly label: string;
  readonly routeClass: RouteClass;
  readonly method: RouteHandler;
}

/**
 * Routes with `@K8sAuth` whose class Nest does not know. A class decorator may have replaced the class by one that copies
 * its methods and nothing that is ours, or nobody has registered it yet.
 * @param known all classes that Nest creates, of controllers and of providers
 * @internal
 */
export function findLostRoutes(known: Iterable<RouteClass>): RoutedMethod[] {
  const methods = [...known].flatMap(routesOf).map(({ method }) => method);
  return unregisteredClasses()
    .flatMap(routesOf)
    .filter(
      (route) =>
        policyOf(route.routeClass, route.name).kind === 'protected' &&
        !methods.some((method) => isCopy(method, route)),
    );
}

/** Undecorated routes that may be copies of lost ones: then they would be open. @internal */
export function findReplacedRoutes(
  undecorated: readonly RoutedMethod[],
  lost: readonly RoutedMethod[],
): string[] {
  return undecorated.flatMap((route) => {
    const original = lost.find((one) => mayBeSameRoute(one, route));
    if (!original) return [];
    return [
      `${route.label}: expected @K8sAuth or @Public, because ${original.label} has @K8sAuth on the same route and its ` +
        'class is not registered; if a class decorator has replaced that class, put @K8sAuth above the decorator',
    ];
  });
}

function routesOf(routeClass: RouteClass): (RoutedMethod & { readonly name: string })[] {
  const names = new Set(prototypesOf(routeClass).flatMap((link) => ownMethodsOf(link).map(([name]) => name)));
  return [...names].flatMap((name) => {
    const method: unknown = Reflect.get(routeClass.prototype as object, name);
    if (typeof name !== 'string' || typeof method !== 'function' || !isRoute(method)) return [];
    return [{ label: `${routeClass.name}.${name}`, routeClass, name, method: method }];
  });
}

/** Whether a function carries what the decorators say of a route: then the route is guarded as they say. */
function isCopy(
  method: RouteHandler,
  { routeClass, ...route }: RoutedMethod & { readonly name: string },
): boolean {
  if (isDeclared(methodDeclarationOf(routeClass, route.name))) {
    return carriesDeclarationOf(method, route.method);
  }
  return hasHome(method, routeClass) && haveSamePath(method, route.method);
}

/** Whether two functions answer to the same HTTP method and path. A class without a path may be at any. */
function mayBeSameRoute(one: RoutedMethod, other: RoutedMethod): boolean {
  const verbs = [one, other].map(({ method }): unknown => Reflect.getMetadata(METHOD_METADATA, method));
  return (
    verbs[0] === verbs[1] &&
    haveSamePath(one.method, other.method) &&
    haveSamePath(one.routeClass, other.routeClass)
  );
}

function haveSamePath(one: object, other: object): boolean {
  const [some, others] = [pathsOf(one), pathsOf(other)];
  return !some || !others || some.some((path) => others.includes(path));
}

function pathsOf(target: object): readonly string[] | undefined {
  const path = Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined;
  return path === undefined ? undefined : [path].flat().map((one) => one.replace(/^\/+|\/+$/g, ''));
}
