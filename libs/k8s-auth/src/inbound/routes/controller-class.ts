import { type ExecutionContext } from '@nestjs/common';
import { type InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type Module } from '@nestjs/core/injector/module.js';

/** A class as Nest's contexts give it. */
export type RouteClass = ReturnType<ExecutionContext['getClass']>;
/** A function as Nest's contexts give it. */
export type RouteHandler = ReturnType<ExecutionContext['getHandler']>;

/** A controller as Nest's container has it. */
export interface ControllerWrapper {
  readonly wrapper: InstanceWrapper;
  readonly routeClass: RouteClass;
  readonly instance: object;
}

/**
 * Decorated classes that no application of this process has registered, itself or a subclass. Not weakly: a class
 * decorator may return another class, and its copies of the methods do not keep the decorated class alive.
 */
const unregistered = new Set<RouteClass>();
const registered = new WeakSet<RouteClass>();

/** Decorators of ours stand on this class or in it. @internal */
export function noteDecorated(owner: object): void {
  if (isConstructor(owner) && !registered.has(owner)) unregistered.add(owner);
}

/** Nest has been given this class: what decorators say of it, and of what it inherits from, is known. @internal */
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

/** Whether instances can be made of it, and so routes. @internal */
export function isConstructor(target: object): target is RouteClass {
  return typeof target === 'function' && typeof target.prototype === 'object' && target.prototype !== null;
}

/** `this.list = …`, whose name is captured, or `this[name] = …`. */
const ASSIGNMENT = /\bthis(?:\.([\w$]+)|\[[^\]]+\])\s*=(?![=>])/g;

/** `OrdersController.list`, or `OrdersController.constructor` for a parameter of its constructor. @internal */
export function labelOf(target: object, name: unknown): string {
  const member = typeof name === 'string' || typeof name === 'symbol' ? String(name) : '(unknown)';
  return `${ownerOf(target).name}.${name === undefined ? 'constructor' : member}`;
}

/** The class that a decorator stands on, or stands in. @internal */
export function ownerOf(target: object): { readonly name: string } {
  return typeof target === 'function' ? target : target.constructor;
}

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

/**
 * Whether the source of the class, or of one that it inherits from, assigns to a handler on `this`, or to a name that is
 * computed. At startup nothing else tells it of request scope, where no constructor has run. Good for a warning only.
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

/** Or what has its methods, where Nest creates an instance for each request. */
function instanceOf(routeClass: RouteClass, instance: unknown): object {
  return isInstance(instance)
    ? instance
    : (Object.create((routeClass.prototype ?? null) as object | null) as object);
}

/** Without asking the instance itself: it may be a Proxy that answers to any name, or throws. */
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
