import { type ExecutionContext } from '@nestjs/common';

/** A class as Nest's contexts give it. */
export type RouteClass = ReturnType<ExecutionContext['getClass']>;
/** A function as Nest's contexts give it. */
export type RouteHandler = ReturnType<ExecutionContext['getHandler']>;

/** The prototypes that an instance of the class inherits from, nearest first. @internal */
export function prototypesOf(routeClass: RouteClass): object[] {
  return chainOf((routeClass as { prototype?: unknown }).prototype, Object.prototype);
}

/**
 * The class and every class that it inherits from, nearest first: by `extends`, and by prototypes alone
 * (`Sub.prototype = Object.create(Base.prototype)`), which leaves the constructors unrelated.
 * @internal
 */
export function lineageOf(routeClass: RouteClass): RouteClass[] {
  const constructors = [routeClass, ...prototypesOf(routeClass).map(constructorOf)];
  const lineage = constructors.flatMap((link) => chainOf(link, Function.prototype));
  return [...new Set(lineage)].filter(isClass);
}

/** The functions that a prototype holds itself, by name. Accessors are passed over, as Nest does. @internal */
export function ownMethodsOf(prototype: object): [string | symbol, RouteHandler][] {
  return Reflect.ownKeys(prototype).flatMap((name): [string | symbol, RouteHandler][] => {
    const value: unknown = Reflect.getOwnPropertyDescriptor(prototype, name)?.value;
    return name !== 'constructor' && typeof value === 'function' ? [[name, value]] : [];
  });
}

/**
 * Whether a request for this controller reaches the class that Nest was given. Nest names a route by
 * `instance.constructor`, which a copied `constructor`, a Proxy around the class or a constructor that returns another
 * object makes a different class: then nobody can tell whose decorators count.
 * @internal
 */
export function isIdentified(routeClass: RouteClass, instance: object): boolean {
  const prototype: unknown = routeClass.prototype;
  if (typeof prototype !== 'object' || prototype === null || constructorOf(prototype) !== routeClass)
    return false;
  return Object.getPrototypeOf(instance) === prototype && Reflect.get(instance, 'constructor') === routeClass;
}

/** Every class whose decorators could be meant when a request for this controller arrives. @internal */
export function possibleClassesOf(routeClass: RouteClass, instance: object): RouteClass[] {
  const claimed: unknown = Reflect.get(instance, 'constructor');
  const possible = [routeClass, claimed, ...prototypesOfInstance(instance)].filter(isClass);
  return [...new Set(possible.flatMap(lineageOf))];
}

function prototypesOfInstance(instance: object): unknown[] {
  return chainOf(Object.getPrototypeOf(instance), Object.prototype).map(constructorOf);
}

function constructorOf(prototype: object): unknown {
  return Reflect.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
}

function chainOf(start: unknown, end: object): object[] {
  const chain: object[] = [];
  for (let link = start; isObject(link) && link !== end; link = Object.getPrototypeOf(link)) chain.push(link);
  return chain;
}

function isClass(value: unknown): value is RouteClass {
  return typeof value === 'function';
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
