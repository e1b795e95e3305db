import { type Module } from '@nestjs/core/injector/module.js';
import { type RouteClass, type RouteHandler } from './controller-class.js';
import { policyOf } from './route.js';

// Metadata keys and the injection token of the options of @nestjs/graphql, an optional package.
const RESOLVER_TYPE = 'graphql:resolver_type';
const RESOLVER_NAME = 'graphql:resolver_name';
const FIELD_RESOLVER = 'graphql:resolve_property';
const GRAPHQL_OPTIONS = 'GqlModuleOptions';
const ROOT_TYPES = ['Query', 'Mutation', 'Subscription'];

/**
 * The fields that the option `loaders` of Mercurius resolves. Mercurius puts a loader in place of the resolver of the field,
 * and Nest runs no guard on a loader.
 * @returns `Order.price`
 * @internal
 */
export function loaderFieldsOf(modules: readonly Module[]): ReadonlySet<string> {
  const fields = modules.flatMap(({ providers }) => {
    const options = providers.get(GRAPHQL_OPTIONS)?.instance as { loaders?: unknown } | undefined;
    return fieldsIn(options?.loaders).flatMap(([type, loaders]) =>
      fieldsIn(loaders).map(([name]) => `${type}.${name}`),
    );
  });
  return new Set(fields);
}

const fieldsIn = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];

/** The mistakes of protected resolvers in whose place a loader runs. @internal */
export function findReplacedResolvers(
  routeClass: RouteClass,
  handlers: ReadonlyMap<string, RouteHandler>,
  loaders: ReadonlySet<string>,
): string[] {
  if (loaders.size === 0) return [];
  return [...handlers].flatMap(([name, method]) => {
    const field = [typeOf(routeClass, method), fieldNameOf(name, method)].join('.');
    if (!loaders.has(field) || policyOf(routeClass, name).kind !== 'protected') return [];
    return [
      `${routeClass.name}.${name}: expected no loader of Mercurius for ${field}, because it replaces this function, and ` +
        'Nest runs no guard on loaders',
    ];
  });
}

function typeOf(routeClass: RouteClass, method: RouteHandler): unknown {
  const ofMethod: unknown = Reflect.getMetadata(RESOLVER_TYPE, method);
  return Reflect.hasMetadata(FIELD_RESOLVER, method) || ofMethod === undefined
    ? Reflect.getMetadata(RESOLVER_TYPE, routeClass)
    : ofMethod;
}

function fieldNameOf(name: string, method: RouteHandler): unknown {
  return Reflect.getMetadata(RESOLVER_NAME, method) ?? name;
}

/** Loaders of root fields: no guard has run before them. Other fields are below a root field. @internal */
export function findOpenLoaders(loaders: ReadonlySet<string>): string[] {
  return [...loaders].filter((field) => ROOT_TYPES.some((type) => field.startsWith(`${type}.`)));
}
