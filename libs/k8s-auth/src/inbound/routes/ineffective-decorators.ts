import { RequestMethod, VERSION_NEUTRAL } from '@nestjs/common';
import {
  CONTROLLER_WATERMARK,
  METHOD_METADATA,
  PATH_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import {
  lineageOf,
  ownMethodsOf,
  prototypesOf,
  type RouteClass,
  type RouteHandler,
  unregisteredClasses,
} from './controller-class.js';
import {
  carriesDeclarationOf,
  type Declaration,
  declarationOf,
  declaredMethodsOf,
  hasHome,
  isDeclared,
} from './declarations.js';
import { type HandlerContext, hasGuards, isRoute } from './guarded-handlers.js';
import { declarationOn, methodDeclarationOf, policyOf } from './route.js';

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
  readonly name: string;
  readonly method: RouteHandler;
}

/**
 * Routes with `@K8sAuth` whose class Nest does not know. A class decorator may have replaced the class by one that copies
 * its methods and nothing that is ours, or nobody has registered it yet. A base class of another one was not replaced.
 * @param known all classes that Nest creates, of controllers and of providers
 * @internal
 */
export function findLostRoutes(known: Iterable<RouteClass>): RoutedMethod[] {
  const methods = [...known].flatMap(routesOf).map(({ method }) => method);
  const lost = unregisteredClasses();
  return lost
    .filter((one) => !lost.some((other) => other !== one && lineageOf(other).includes(one)))
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
    const original = lost.find((one) => mayBeCopy(route, one));
    if (!original) return [];
    return [
      `${route.label}: expected @K8sAuth or @Public, because ${original.label} has @K8sAuth, may be the same ` +
        'route, and its class is not registered; if a class decorator has replaced that class, put @K8sAuth above the ' +
        `decorator; if they are two different routes, put @Public or @K8sAuth on ${route.label}`,
    ];
  });
}

function routesOf(routeClass: RouteClass): RoutedMethod[] {
  const names = new Set(prototypesOf(routeClass).flatMap((link) => ownMethodsOf(link).map(([name]) => name)));
  return [...names].flatMap((name) => {
    const method: unknown = Reflect.get(routeClass.prototype as object, name);
    if (typeof name !== 'string' || typeof method !== 'function' || !isRoute(method)) return [];
    return [{ label: `${routeClass.name}.${name}`, routeClass, name, method: method }];
  });
}

/** Whether a function carries what the decorators say of a route: then the route is guarded as they say. */
function isCopy(method: RouteHandler, { routeClass, ...route }: RoutedMethod): boolean {
  if (isDeclared(methodDeclarationOf(routeClass, route.name))) {
    return carriesDeclarationOf(method, route.method);
  }
  return hasHome(method, routeClass) && haveSamePath(method, route.method);
}

/**
 * Whether a route may be a copy of a lost one. A decorator that replaces a class usually keeps the names of its handlers; it may
 * add a prefix, move the path from the class to the method, or answer to all HTTP methods.
 */
function mayBeCopy(route: RoutedMethod, lost: RoutedMethod): boolean {
  const [verb, lostVerb] = [route, lost].map(({ method }): unknown =>
    Reflect.getMetadata(METHOD_METADATA, method),
  );
  const haveSameVerb = verb === lostVerb || verb === RequestMethod.ALL || lostVerb === RequestMethod.ALL;
  return haveSameVerb && shareVersion(route, lost) && shareFullPath(route, lost);
}

function shareVersion(...routes: readonly [RoutedMethod, RoutedMethod]): boolean {
  const [some, others] = routes.map(({ method, routeClass }) => {
    const version: unknown =
      Reflect.getMetadata(VERSION_METADATA, method) ?? Reflect.getMetadata(VERSION_METADATA, routeClass);
    // Without one, it may have the default version.
    return version === undefined ? undefined : [version].flat();
  });
  if (!some || !others || [...some, ...others].includes(VERSION_NEUTRAL)) return true;
  return some.some((version) => others.includes(version));
}

function shareFullPath(route: RoutedMethod, lost: RoutedMethod): boolean {
  // Without one, @Controller may stand above the decorator, on the replacement alone.
  const isPathOfClassKnown = pathsOf(lost.routeClass) !== undefined;
  const paths = fullPathsOf(route);
  return fullPathsOf(lost).some((other) => {
    // Another name: only where both paths are known, and equal.
    if (route.name !== lost.name) return isPathOfClassKnown && other !== '' && paths.includes(other);
    // No path at all: then the class must have every handler of the lost one.
    if (!isPathOfClassKnown && other === '') return hasHandlersOf(route.routeClass, lost.routeClass);
    if (other === '') return paths.includes('');
    return paths.some(
      (path) => isEndOf(path, other) || (isPathOfClassKnown && path !== '' && isEndOf(other, path)),
    );
  });
}

function hasHandlersOf(routeClass: RouteClass, lost: RouteClass): boolean {
  const names = routesOf(routeClass).map(({ name }) => name);
  return routesOf(lost)
    .filter(({ name }) => Object.hasOwn(lost.prototype as object, name))
    .every(({ name }) => names.includes(name));
}

const isEndOf = (path: string, end: string) => end === '' || `/${path}`.endsWith(`/${end}`);

function fullPathsOf({ routeClass, method }: RoutedMethod): string[] {
  return (pathsOf(routeClass) ?? ['']).flatMap((prefix) =>
    (pathsOf(method) ?? ['']).map((path) => normalised(`${prefix}/${path}`)),
  );
}

function haveSamePath(one: object, other: object): boolean {
  const [some, others] = [pathsOf(one), pathsOf(other)];
  return !some || !others || some.some((path) => others.includes(path));
}

function pathsOf(target: object): readonly string[] | undefined {
  const path = Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined;
  return path === undefined ? undefined : [path].flat().map(normalised);
}

const normalised = (path: string) => path.split('/').filter(Boolean).join('/');
