import { type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type Module } from '@nestjs/core/injector/module.js';
import { type RouteClass } from './controller-class.js';

/** A controller as Nest's container has it. */
export interface ControllerWrapper {
  readonly wrapper: InstanceWrapper;
  readonly routeClass: RouteClass;
  readonly instance: object;
}

// The provider that holds the options of @nestjs/graphql.
const GRAPHQL_OPTIONS = 'GqlModuleOptions';

/** @internal */
export function controllersOf({ controllers }: Module): ControllerWrapper[] {
  return [...controllers.values()].flatMap((wrapper) => {
    const routeClass = wrapper.metatype as RouteClass | null;
    const instance: unknown = wrapper.instance;
    if (typeof routeClass !== 'function') return [];
    return [
      {
        wrapper,
        routeClass,
        instance: instanceOf(routeClass, instance),
      },
    ];
  });
}

/** Everything in a module that Nest creates or is given, controllers aside, where it has a class. @internal */
export function providersOf({ providers, injectables }: Module): Omit<ControllerWrapper, 'wrapper'>[] {
  const wrappers = [...providers.values(), ...injectables.values()].filter(({ isAlias }) => !isAlias);
  return wrappers.flatMap(({ metatype, inject, instance }) => {
    // A factory's metatype is the factory, a value has none: there the class of the instance counts.
    const isClass = typeof metatype === 'function' && !inject;
    const one: unknown = isClass ? metatype : classOf(instance);
    if (typeof one !== 'function' || one === Object) return [];
    return [{ routeClass: one as RouteClass, instance: instanceOf(one as RouteClass, instance) }];
  });
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

/** Or what has its methods, where Nest creates an instance for each request. */
function instanceOf(routeClass: RouteClass, instance: unknown): object {
  return isObject(instance)
    ? instance
    : (Object.create((routeClass.prototype ?? null) as object | null) as object);
}

/** Without asking the instance itself: it may be a Proxy that answers to any name, or throws. */
function classOf(instance: unknown): unknown {
  if (!isObject(instance)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(instance);
  return isObject(prototype) ? Reflect.getOwnPropertyDescriptor(prototype, 'constructor')?.value : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
