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
  hasHomeClass,
  isDeclared,
} from './declarations.js';
import { isConnectionHook, isGateway } from './gateway-connections.js';
import { type HandlerContext, hasGuards, isRoute } from './guarded-handlers.js';
import { declarationOn, methodDeclarationOf, policyOf } from './route.js';

/** Decorators on classes and methods where no guard runs, so that they protect nothing. @internal */
export function findMisplacedDecorators(routeClass: RouteClass, context: HandlerContext): string[] {
  const prototypes = prototypesOf(routeClass);
  // A controller that is registered as a provider only: other classes call it, and Nest does not route it.
  const isUnroutedController = !context.isController && Reflect.hasMetadata(CONTROLLER_WATERMARK, routeClass);
  const names = new Set(prototypes.flatMap((prototype) => Reflect.ownKeys(prototype)));
  // The constructor is the class itself, which is checked below.
  names.delete('constructor');
  const members = [...names].map((name) => {
    const owner = prototypes.find((prototype) => Object.hasOwn(prototype, name)) as object;
    const method: unknown = Reflect.getOwnPropertyDescriptor(owner, name)?.value;
    // Nest does not route methods whose name is a symbol.
    const isGuarded =
      typeof name === 'string' &&
      typeof method === 'function' &&
      (isConnectionHook(name, routeClass) || hasGuards(method, routeClass, context));
    const declaration = declarationOn(owner, name);
    return { name, method, isGuarded, declaration, isMisplaced: !isGuarded && isDeclared(declaration) };
  });
  // Some decorators make routes from copies of a method. The copies have its declaration.
  const guarded = members.flatMap(({ isGuarded, method }) => (isGuarded ? [method as object] : []));
  const misplaced = members.filter(
    ({ isMisplaced, method }) =>
      isMisplaced &&
      !isUnroutedController &&
      !(typeof method === 'function' && guarded.some((one) => carriesDeclarationOf(one, method))),
  );
  const statics = lineageOf(routeClass).flatMap((link) => [...declaredMethodsOf(link)]);
  const classDeclaration = lineageOf(routeClass).map(declarationOf).find(isDeclared);
  const isUnguarded = !context.isController && !isUnroutedController && !isGateway(routeClass);
  const isClassMisplaced = isUnguarded && !members.some(({ isGuarded }) => isGuarded);
  return [
    ...(classDeclaration && isClassMisplaced ? [toMistake(routeClass.name, classDeclaration)] : []),
    ...misplaced.map(({ name, declaration }) => toMistake(`${routeClass.name}.${String(name)}`, declaration)),
    ...statics.map(([name, declaration]) =>
      toMistake(`${routeClass.name}.${String(name)} (static)`, declaration),
    ),
  ];
}

function toMistake(label: string, { demands }: Declaration): string {
  const decorator = demands.length > 0 ? '@K8sAuth' : '@Public';
  return (
    `${label}: ${decorator} has no effect here, because Nest runs guards only on routes and message handlers; ` +
    'move it to a controller'
  );
}

/** A function that Nest routes, and its class. */
export interface RoutedMethod {
  readonly label: string;
  readonly routeClass: RouteClass;
  readonly name: string;
  readonly method: RouteHandler;
}

/**
 * Routes with `@K8sAuth` whose class is not registered with Nest. A class decorator may have replaced the class by a copy
 * without our metadata, or the class is not registered yet. Base classes of unregistered classes are not included.
 * @param known all classes that Nest creates, of controllers and of providers
 * @internal
 */
export function findUnregisteredRoutes(known: Iterable<RouteClass>): RoutedMethod[] {
  const methods = [...known].flatMap(routesOf).map(({ method }) => method);
  const unregistered = unregisteredClasses();
  return unregistered
    .filter((one) => !unregistered.some((other) => other !== one && lineageOf(other).includes(one)))
    .flatMap(routesOf)
    .filter(
      (route) =>
        policyOf(route.routeClass, route.name).kind === 'protected' &&
        !methods.some((method) => isCopy(method, route)),
    );
}

/** Undecorated routes that may be open copies of unregistered routes with `@K8sAuth`. @internal */
export function findReplacedRoutes(
  undecorated: readonly RoutedMethod[],
  unregistered: readonly RoutedMethod[],
): string[] {
  return undecorated.flatMap((route) => {
    const original = unregistered.find((one) => mayBeCopy(route, one));
    if (!original) return [];
    return [
      `${route.label}: expected @K8sAuth or @Public, because ${original.label} has @K8sAuth and may be the same ` +
        'route, but its class is not registered; if a class decorator has replaced that class, put @K8sAuth above the ' +
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

/** Whether a function has the declaration of a route, so that the same decorators apply to it. */
function isCopy(method: RouteHandler, { routeClass, ...route }: RoutedMethod): boolean {
  if (isDeclared(methodDeclarationOf(routeClass, route.name))) {
    return carriesDeclarationOf(method, route.method);
  }
  return hasHomeClass(method, routeClass) && haveSamePath(method, route.method);
}

/**
 * Whether a route may be a copy of an unregistered one. A decorator that replaces a class usually keeps the names
 * of its handlers. It may add a prefix, move the path from the class to the method, or accept all HTTP methods.
 */
function mayBeCopy(route: RoutedMethod, other: RoutedMethod): boolean {
  const [verb, otherVerb] = [route, other].map(({ method }): unknown =>
    Reflect.getMetadata(METHOD_METADATA, method),
  );
  const isSameVerb = verb === otherVerb || verb === RequestMethod.ALL || otherVerb === RequestMethod.ALL;
  return isSameVerb && shareVersion(route, other) && shareFullPath(route, other);
}

function shareVersion(...routes: readonly [RoutedMethod, RoutedMethod]): boolean {
  const [some, others] = routes.map(({ method, routeClass }) => {
    const version: unknown =
      Reflect.getMetadata(VERSION_METADATA, method) ?? Reflect.getMetadata(VERSION_METADATA, routeClass);
    // Without a version, the route may have the application's default version.
    return version === undefined ? undefined : [version].flat();
  });
  if (!some || !others || [...some, ...others].includes(VERSION_NEUTRAL)) return true;
  return some.some((version) => others.includes(version));
}

function shareFullPath(route: RoutedMethod, other: RoutedMethod): boolean {
  // Without a path, @Controller may stand above the decorator, and so be on the replacement only.
  const isPathOfClassKnown = pathsOf(other.routeClass) !== undefined;
  const paths = fullPathsOf(route);
  return fullPathsOf(other).some((otherPath) => {
    // With another name, both paths have to be known and equal.
    if (route.name !== other.name) return isPathOfClassKnown && otherPath !== '' && paths.includes(otherPath);
    // Without any path, only the names tell: the class must have every handler of the unregistered class.
    if (!isPathOfClassKnown && otherPath === '') return hasHandlersOf(route.routeClass, other.routeClass);
    if (otherPath === '') return paths.includes('');
    return paths.some(
      (path) => endsWith(path, otherPath) || (isPathOfClassKnown && path !== '' && endsWith(otherPath, path)),
    );
  });
}

function hasHandlersOf(routeClass: RouteClass, other: RouteClass): boolean {
  const names = routesOf(routeClass).map(({ name }) => name);
  return routesOf(other)
    .filter(({ name }) => Object.hasOwn(other.prototype as object, name))
    .every(({ name }) => names.includes(name));
}

const endsWith = (path: string, end: string) => end === '' || `/${path}`.endsWith(`/${end}`);

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
