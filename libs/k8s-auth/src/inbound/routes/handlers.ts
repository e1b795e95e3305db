import { CONTROLLER_WATERMARK, PATH_METADATA } from '@nestjs/common/constants.js';
import {
  lineageOf,
  ownMethodsOf,
  prototypesOf,
  type RouteClass,
  type RouteHandler,
} from './controller-class.js';
import {
  type Declaration,
  declarationOf,
  declarationOn,
  declaredMethodsOf,
  isDeclared,
} from './declarations.js';

// Keys of packages that need not be installed: @nestjs/microservices, @nestjs/websockets, @nestjs/graphql.
const MESSAGE_PATTERN = 'microservices:pattern';
const SUBSCRIBED_MESSAGE = 'websockets:message_mapping';
const RESOLVER_TYPE = 'graphql:resolver_type';
const FIELD_RESOLVERS = ['graphql:resolve_property', 'graphql:resolve_reference'];
const ROOT_RESOLVERS: readonly unknown[] = ['Query', 'Mutation', 'Subscription'];

/** Where a class is registered, which decides what Nest makes of its methods. */
export interface HandlerContext {
  readonly isController: boolean;
  /** GraphQL's option `fieldResolverEnhancers` includes `guards`. */
  readonly fieldResolversHaveGuards: boolean;
}

/** Nest's own test for an HTTP route, see its PathsExplorer. @internal */
export function isRoute(method: object): boolean {
  return Reflect.getMetadata(PATH_METADATA, method) !== undefined;
}

/** Whether it handles messages of a microservice. @internal */
export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(MESSAGE_PATTERN, method);
}

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
  const guarded = new Set(
    members.flatMap(({ isGuarded, method }) => (isGuarded ? [declarationOf(method as object)] : [])),
  );
  const misplaced = members.filter(
    ({ isMisplaced, method }) =>
      isMisplaced &&
      !isUnroutedController &&
      !(typeof method === 'function' && guarded.has(declarationOf(method))),
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

/**
 * The methods of a provider that Nest runs guards on: of gateways and resolvers.
 * @returns name -> function
 * @internal
 */
export function guardedMethodsOf(
  routeClass: RouteClass,
  context: Omit<HandlerContext, 'isController'>,
): ReadonlyMap<string, RouteHandler> {
  const names = new Set(prototypesOf(routeClass).flatMap((link) => ownMethodsOf(link).map(([name]) => name)));
  return new Map(
    [...names].flatMap((name): [string, RouteHandler][] => {
      const method: unknown = Reflect.get(routeClass.prototype as object, name);
      if (typeof name !== 'string' || typeof method !== 'function') return [];
      return hasGuards(method, routeClass, { ...context, isController: false }) ? [[name, method]] : [];
    }),
  );
}

function hasGuards(
  method: RouteHandler,
  routeClass: RouteClass,
  { isController, fieldResolversHaveGuards }: HandlerContext,
): boolean {
  if (isController) return isRoute(method) || isMessageHandler(method);
  if (Reflect.hasMetadata(SUBSCRIBED_MESSAGE, method)) return true;
  const type: unknown =
    Reflect.getMetadata(RESOLVER_TYPE, method) ?? Reflect.getMetadata(RESOLVER_TYPE, routeClass);
  if (FIELD_RESOLVERS.some((key) => Reflect.hasMetadata(key, method))) return fieldResolversHaveGuards;
  return ROOT_RESOLVERS.includes(type) && Reflect.hasMetadata(RESOLVER_TYPE, method);
}
