import { type ExecutionContext } from '@nestjs/common';
import { type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type Module } from '@nestjs/core/injector/module.js';

/** The type of a class in Nest's execution context. */
export type RouteClass = ReturnType<ExecutionContext['getClass']>;
/** The type of a function in Nest's execution context. */
export type RouteHandler = ReturnType<ExecutionContext['getHandler']>;

/** A controller in Nest's container. */
export interface ControllerWrapper {
  readonly wrapper: InstanceWrapper;
  readonly routeClass: RouteClass;
  readonly instance: object;
}

/**
 * Decorated classes that no application of this process has registered, neither the class nor a subclass. A strong
 * reference: a class decorator may return another class, whose copied methods do not keep the decorated class alive.
 */
const unregistered = new Set<RouteClass>();
const registered = new WeakSet<RouteClass>();

/** Call this for each class that has one of our decorators, on the class or on a method. @internal */
export function noteDecorated(owner: object): void {
  if (isConstructor(owner) && !registered.has(owner)) unregistered.add(owner);
}

/** Call this for each class that Nest creates. Its base classes count as registered too. @internal */
export function noteRegistered(routeClass: RouteClass): void {
  for (const link of lineageOf(routeClass)) {
    registered.add(link);
    unregistered.delete(link);
  }
}

/** @internal */
export function unregisteredClasses(): readonly RouteClass[] {
  return [...unregistered];
}

/** @internal */
export function isRegistered(routeClass: RouteClass): boolean {
  return registered.has(routeClass);
}

/** Whether `new` can create instances of it. Only such a class can have routes. @internal */
export function isConstructor(target: object): target is RouteClass {
  return typeof target === 'function' && typeof target.prototype === 'object' && target.prototype !== null;
}

/** `this.list = …`, with the name captured, or `this[name] = …`, without a captured name. */
const ASSIGNMENT = /\bthis(?:\.([\w$]+)|\[[^\]]+\])\s*=(?![=>])/g;

/** `OrdersController.list`, or `OrdersController.constructor` for a parameter of its constructor. @internal */
export function labelOf(target: object, name: unknown): string {
  const member = typeof name === 'string' || typeof name === 'symbol' ? String(name) : '(unknown)';
  return `${ownerOf(target).name}.${name === undefined ? 'constructor' : member}`;
}

/** The class of a decorator's target: the target itself, or the class of a prototype. @internal */
export function ownerOf(target: object): { readonly name: string } {
  return typeof target === 'function' ? target : target.constructor;
}

/** The prototypes that an instance of the class inherits from, nearest first. @internal */
export function prototypesOf(routeClass: RouteClass): object[] {
  return chainOf((routeClass as { prototype?: unknown }).prototype, Object.prototype);
}

/**
 * The class and every class that it inherits from, nearest first. It may inherit by `extends`, or by prototypes only
 * (`Sub.prototype = Object.create(Base.prototype)`): then the constructors do not refer to each other.
 * @internal
 */
export function lineageOf(routeClass: RouteClass): RouteClass[] {
  const constructors = [routeClass, ...prototypesOf(routeClass).map(constructorOf)];
  const lineage = constructors.flatMap((link) => chainOf(link, Function.prototype));
  return [...new Set(lineage)].filter(isClass);
}

/** The own functions of a prototype, by name. Accessors are ignored, as Nest does. @internal */
export function ownMethodsOf(prototype: object): [string | symbol, RouteHandler][] {
  return Reflect.ownKeys(prototype).flatMap((name): [string | symbol, RouteHandler][] => {
    const value: unknown = Reflect.getOwnPropertyDescriptor(prototype, name)?.value;
    return name !== 'constructor' && typeof value === 'function' ? [[name, value]] : [];
  });
}

/**
 * Whether the class that Nest names in a request for this controller is the registered class. Nest names
 * `instance.constructor`. A copied `constructor` property, a Proxy around the class, or a constructor that returns
 * another object makes that a different class. Then it is unknown which decorators apply.
 * @internal
 */
export function isIdentified(routeClass: RouteClass, instance: object): boolean {
  const prototype: unknown = routeClass.prototype;
  if (typeof prototype !== 'object' || prototype === null || constructorOf(prototype) !== routeClass)
    return false;
  return Object.getPrototypeOf(instance) === prototype && Reflect.get(instance, 'constructor') === routeClass;
}

/** Every class whose decorators may apply to a request for this controller. @internal */
export function possibleClassesOf(routeClass: RouteClass, instance: object): RouteClass[] {
  const claimed: unknown = Reflect.get(instance, 'constructor');
  const possible = [routeClass, claimed, ...prototypesOfInstance(instance)].filter(isClass);
  return [...new Set(possible.flatMap(lineageOf))];
}

/**
 * Whether the source text of the class, or of a base class, assigns to a handler on `this`, or to a computed name. For
 * request scope, the constructor has not run at startup, so only the source text shows this. Only used for a warning.
 * @internal
 */
export function seemsToReplace(routeClass: RouteClass, names: ReadonlySet<string>): boolean {
  return lineageOf(routeClass).some((link) => {
    const source = Function.prototype.toString.call(link);
    return [...source.matchAll(ASSIGNMENT)].some(([, name]) => name === undefined || names.has(name));
  });
}

/** @internal */
export function controllersOf({ controllers }: Module): ControllerWrapper[] {
  return [...controllers.values()].flatMap((wrapper) => {
    const routeClass = wrapper.metatype as RouteClass | null;
    const instance: unknown = wrapper.instance;
    if (typeof routeClass !== 'function') return [];
    return [{ wrapper, routeClass, instance: instanceOf(routeClass, instance) }];
  });
}

/** The providers and injectables of a module that have a class, without the controllers. @internal */
export function providersOf({ providers, injectables }: Module): Omit<ControllerWrapper, 'wrapper'>[] {
  const wrappers = [...providers.values(), ...injectables.values()].filter(({ isAlias }) => !isAlias);
  return wrappers.flatMap(({ metatype, inject, instance }) => {
    // The metatype of a factory provider is the factory, and a value has none. Use the class of the instance then.
    const isClass = typeof metatype === 'function' && !inject;
    const one: unknown = isClass ? metatype : classOf(instance);
    if (typeof one !== 'function' || one === Object) return [];
    return [{ routeClass: one as RouteClass, instance: instanceOf(one as RouteClass, instance) }];
  });
}

/** The instance, or, in request scope, where no instance exists at startup, an object with the methods of the class. */
function instanceOf(routeClass: RouteClass, instance: unknown): object {
  return isInstance(instance)
    ? instance
    : (Object.create((routeClass.prototype ?? null) as object | null) as object);
}

/** Does not read properties of the instance: it may be a Proxy that has every property, or that throws. */
function classOf(instance: unknown): unknown {
  if (!isInstance(instance)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(instance);
  return isInstance(prototype) ? constructorOf(prototype) : undefined;
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
  return isInstance(value) || typeof value === 'function';
}

function isInstance(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
