import { PATH_METADATA } from '@nestjs/common/constants.js';
import { type Module } from '@nestjs/core/injector/module.js';
import { ownMethodsOf, prototypesOf, type RouteClass, type RouteHandler } from './controller-class.js';

// Metadata keys of optional packages: @nestjs/microservices, @nestjs/websockets, @nestjs/graphql.
const MESSAGE_PATTERN = 'microservices:pattern';
const SUBSCRIBED_MESSAGE = 'websockets:message_mapping';
const RESOLVER_TYPE = 'graphql:resolver_type';
const REFERENCE_RESOLVER = 'graphql:resolve_reference';
const FIELD_RESOLVERS = ['graphql:resolve_property', REFERENCE_RESOLVER];
const ROOT_RESOLVERS: readonly unknown[] = ['Query', 'Mutation', 'Subscription'];
// The injection token of the options of @nestjs/graphql.
const GRAPHQL_OPTIONS = 'GqlModuleOptions';

/** How a class is registered. This decides on which of its methods Nest runs guards. */
export interface HandlerContext {
  readonly isController: boolean;
  /** GraphQL's option `fieldResolverEnhancers` includes `guards`. */
  readonly fieldResolversHaveGuards: boolean;
}

/** Whether Nest makes an HTTP route of the method. The same check as in Nest's PathsExplorer. @internal */
export function isRoute(method: object): boolean {
  return Reflect.getMetadata(PATH_METADATA, method) !== undefined;
}

/** Whether the method handles messages of a microservice. @internal */
export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(MESSAGE_PATTERN, method);
}

/** Whether the method handles messages of a gateway. @internal */
export function isGatewayHandler(method: object): boolean {
  return Reflect.hasMetadata(SUBSCRIBED_MESSAGE, method);
}

/** Whether GraphQL calls the method only after the resolver of a root field. @internal */
export function isFieldResolver(method: object): boolean {
  return Reflect.hasMetadata('graphql:resolve_property', method);
}

/** Whether GraphQL calls the method. @internal */
export function isResolver(method: object): boolean {
  return Reflect.hasMetadata(RESOLVER_TYPE, method) || isFieldResolver(method) || isReferenceResolver(method);
}

/** Whether GraphQL calls the method for entities of other services of a federation, after no other resolver. @internal */
export function isReferenceResolver(method: object): boolean {
  return Reflect.hasMetadata(REFERENCE_RESOLVER, method);
}

/**
 * The methods of a provider on which Nest runs guards: handlers of gateways and resolvers.
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

/**
 * The reference resolvers of a provider on which Nest runs no guard.
 * @returns `OrdersResolver.resolveReference`
 * @internal
 */
export function unguardedReferencesOf(
  routeClass: RouteClass,
  context: Omit<HandlerContext, 'isController'>,
): string[] {
  return prototypesOf(routeClass)
    .flatMap(ownMethodsOf)
    .filter(
      ([, method]) =>
        isReferenceResolver(method) && !hasGuards(method, routeClass, { ...context, isController: false }),
    )
    .map(([name]) => `${routeClass.name}.${String(name)}`);
}

/** Whether Nest runs guards on a method. @internal */
export function hasGuards(
  method: RouteHandler,
  routeClass: RouteClass,
  { isController, fieldResolversHaveGuards }: HandlerContext,
): boolean {
  if (isController) return isRoute(method) || isMessageHandler(method);
  if (isGatewayHandler(method)) return true;
  const type: unknown =
    Reflect.getMetadata(RESOLVER_TYPE, method) ?? Reflect.getMetadata(RESOLVER_TYPE, routeClass);
  if (FIELD_RESOLVERS.some((key) => Reflect.hasMetadata(key, method))) return fieldResolversHaveGuards;
  return ROOT_RESOLVERS.includes(type) && Reflect.hasMetadata(RESOLVER_TYPE, method);
}

/** @internal */
export function fieldResolversHaveGuards(modules: readonly Module[]): boolean {
  return modules.some(({ providers }) => {
    const options = providers.get(GRAPHQL_OPTIONS)?.instance as
      { fieldResolverEnhancers?: unknown } | undefined;
    return (
      Array.isArray(options?.fieldResolverEnhancers) && options.fieldResolverEnhancers.includes('guards')
    );
  });
}
