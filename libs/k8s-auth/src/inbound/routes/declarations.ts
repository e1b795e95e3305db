import { type AuthorizationRule } from '../../authorization/authorization-rule.js';
import { ConfigurationError } from '../../errors.js';
import { DECLARATION, HOMES, STATEMENTS } from '../inbound.constants.js';
import {
  isConstructor,
  isRegistered,
  labelOf,
  lineageOf,
  noteDecorated,
  ownerOf,
  ownMethodsOf,
  prototypesOf,
  type RouteClass,
  type RouteHandler,
} from './controller-class.js';

/** One `@K8sAuth(…)`, as written: nothing about it is checked yet. */
export interface K8sAuthDemand {
  readonly audience: string | readonly string[] | undefined;
  readonly rules: readonly AuthorizationRule[];
}

/** What the decorators on one class or one method say. */
export interface Declaration {
  readonly demands: readonly K8sAuthDemand[];
  readonly isPublic: boolean;
}

type Declarations = ReadonlyMap<string | symbol, Declaration>;

/** What our decorators have said where they stood. */
interface Statements {
  /** Of the class or the function itself. */
  own?: Declaration;
  /** Of the methods of a prototype, or the static ones of a class, by name. */
  readonly methods: Map<string | symbol, Declaration>;
  /** Of a class: the functions that stood in it when a class decorator ran, wherever they were written. */
  readonly covered: WeakSet<object>;
  /** Of a function: the classes with `@K8sAuth` that it stood in. */
  readonly homes: Home[];
}

/** `origin` is where the function stood: a sibling that inherits it from there has not copied it. */
interface Home {
  readonly home: RouteClass;
  readonly origin: object;
}

/**
 * The authority on what is declared: other decorators copy and overwrite metadata, and cannot reach this. On the global
 * object, because one process may load the library twice.
 */
const statements = ((globalThis as { [STATEMENTS]?: WeakMap<object, Statements> })[STATEMENTS] ??=
  new WeakMap());

/** @internal */
export const NOTHING: Declaration = { demands: [], isPublic: false };

/** Classes, and prototypes, whose declarations the route table of an application was made from. */
const compiled = new WeakSet<object>();

/** From now on, nothing can be declared on this class or on what it inherits from. @internal */
export function closeDeclarations(routeClass: RouteClass): void {
  for (const link of [...lineageOf(routeClass), ...prototypesOf(routeClass)]) compiled.add(link);
}

/**
 * Adds to what is declared already: two decorators on one target lose no rule.
 * @throws {ConfigurationError} the target is neither a class nor a method, or its routes are compiled already
 * @internal
 */
export function declare(
  target: object,
  name: unknown,
  descriptor: unknown,
  added: Partial<Declaration>,
): void {
  if (compiled.has(target)) {
    throw new ConfigurationError([
      `${ownerOf(target).name}: expected @K8sAuth and @Public before startup, which has compiled its routes`,
    ]);
  }
  // A decorator of a constructor's parameter comes without a name too.
  if (name === undefined && descriptor === undefined && isConstructor(target)) {
    noteDecorated(target);
    return declareClass(target, added);
  }
  const method: unknown = (descriptor as PropertyDescriptor | undefined)?.value;
  if ((typeof name !== 'string' && typeof name !== 'symbol') || typeof method !== 'function') {
    throw new ConfigurationError([
      `${labelOf(target, name)}: expected @K8sAuth and @Public on a class or a method, with experimentalDecorators`,
    ]);
  }
  noteDecorated(typeof target === 'function' ? target : target.constructor);
  setDeclaration(method, added);
  const { methods } = statementsOf(target);
  methods.set(name, merge(methods.get(name), added));
}

function declareClass(target: RouteClass, added: Partial<Declaration>): void {
  setDeclaration(target, added);
  const { covered } = statementsOf(target);
  for (const origin of prototypesOf(target)) {
    for (const [, method] of ownMethodsOf(origin)) {
      covered.add(method);
      if (!added.demands) continue;
      const { homes } = statementsOf(method);
      homes.push({ home: target, origin });
      Reflect.defineMetadata(HOMES, homes, method);
    }
  }
}

/**
 * What our decorators have said of this class or function, and the demands in metadata that was copied to it. Copied
 * metadata may close, so that functions that replace others stay guarded. It never opens. Nothing is inherited. @internal
 */
export function declarationOf(target: object): Declaration {
  const own = statements.get(target)?.own;
  const copied = copiedDeclarationOf(target);
  if (!copied || copied === own) return own ?? NOTHING;
  return copied.demands.length === 0 ? (own ?? NOTHING) : merge(own, { demands: copied.demands });
}

/** Whether a function carries the declaration of another one. @internal */
export function carriesDeclarationOf(one: object, other: object): boolean {
  const carried = copiedDeclarationOf(one);
  return carried !== undefined && carried === copiedDeclarationOf(other);
}

/** Whether a declaration, its own or a copied one, ties a function to a route. @internal */
export function carriesDeclaration(target: object): boolean {
  return copiedDeclarationOf(target) !== undefined || isDeclared(declarationOf(target));
}

function copiedDeclarationOf(target: object): Declaration | undefined {
  return Reflect.getOwnMetadata(DECLARATION, target) as Declaration | undefined;
}

/** The declarations of methods that were written on this very prototype, or on this class for static ones. @internal */
export function declaredMethodsOf(owner: object): Declarations {
  return statements.get(owner)?.methods ?? new Map();
}

/** @internal */
export function isDeclared({ demands, isPublic }: Declaration): boolean {
  return isPublic || demands.length > 0;
}

/**
 * The classes with `@K8sAuth` that a function of this class was copied from, rather than inherited. Where classes share a
 * function of a mixin, each says what holds in it; but one that Nest does not know may have been replaced. @internal
 */
export function foreignHomesOf(method: RouteHandler, routeClass: RouteClass): RouteClass[] {
  const lineage = lineageOf(routeClass);
  const owner = prototypesOf(routeClass).find((link) => ownMethodsOf(link).some(([, own]) => own === method));
  const isCovered = lineage.some(
    (link) =>
      statements.get(link)?.covered.has(method) &&
      (link === routeClass || declarationOf(link).demands.length > 0),
  );
  const copied = homesOf(method).filter(
    ({ home, origin }) => !lineage.includes(home) && origin !== owner && !(isCovered && isRegistered(home)),
  );
  // The class that it was written in knows best; a class that only inherits it counts where that one says nothing.
  const written = copied.filter(({ home, origin }) => home.prototype === origin);
  return (written.length > 0 ? written : copied).map(({ home }) => home);
}

/** Whether a function was written in this class with `@K8sAuth`, or carries the metadata of one that was. @internal */
export function hasHome(method: RouteHandler, routeClass: RouteClass): boolean {
  return homesOf(method).some(({ home }) => home === routeClass);
}

/** Copied metadata adds homes, and hides none. */
function homesOf(method: object): readonly Home[] {
  const copied = Reflect.getOwnMetadata(HOMES, method) as readonly Home[] | undefined;
  return [...new Set([...(statements.get(method)?.homes ?? []), ...(copied ?? [])])];
}

function setDeclaration(target: object, added: Partial<Declaration>): void {
  const own = merge(declarationOf(target), added);
  statementsOf(target).own = own;
  // For functions that replace this one, and copy what they find on it.
  Reflect.defineMetadata(DECLARATION, own, target);
}

function statementsOf(target: object): Statements {
  const known = statements.get(target) ?? { methods: new Map(), covered: new WeakSet(), homes: [] };
  statements.set(target, known);
  return known;
}

/** @internal */
export function merge(known: Declaration = NOTHING, added: Partial<Declaration>): Declaration {
  return {
    demands: [...new Set([...known.demands, ...(added.demands ?? [])])],
    isPublic: known.isPublic || added.isPublic === true,
  };
}
