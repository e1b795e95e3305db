import { type AuthorizationRule } from '../../authorization/rules.js';
import { ConfigurationError } from '../../errors.js';
import { DECLARATION, HOME_CLASSES, DECLARATION_RECORDS } from '../inbound.constants.js';
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

/** The arguments of one `@K8sAuth(…)`. They are not checked yet. */
export interface K8sAuthDemand {
  readonly audience: string | readonly string[] | undefined;
  readonly rules: readonly AuthorizationRule[];
}

/** The content of all our decorators on one class or one method. */
export interface Declaration {
  readonly demands: readonly K8sAuthDemand[];
  readonly isPublic: boolean;
}

type Declarations = ReadonlyMap<string | symbol, Declaration>;

/** The declarations of our decorators on one class, prototype or function. */
interface DeclarationRecord {
  /** Declaration of the class or the function itself. */
  own?: Declaration;
  /** Declarations of the methods of a prototype, or of the static methods of a class, by name. */
  readonly methods: Map<string | symbol, Declaration>;
  /** For a class: its functions at the time when a class decorator ran, including inherited and mixed-in functions. */
  readonly covered: WeakSet<object>;
  /** For a function: the classes with `@K8sAuth` that contain it. */
  readonly homes: HomeClass[];
}

/** `origin` is the prototype that has the function. A sibling class that inherits it from there has not copied it. */
interface HomeClass {
  readonly home: RouteClass;
  readonly origin: object;
}

type WithRecords = { [DECLARATION_RECORDS]?: WeakMap<object, DeclarationRecord> };
/**
 * The source of truth for declarations: other decorators can copy and overwrite metadata, but cannot change this map. It
 * is on the global object, because one process may load the library twice.
 */
const records = ((globalThis as WithRecords)[DECLARATION_RECORDS] ??= new WeakMap());

/** @internal */
export const NO_DECLARATION: Declaration = { demands: [], isPublic: false };

/** Classes and prototypes whose declarations are compiled into the route table of an application. */
const compiled = new WeakSet<object>();

/** After this call, the library's decorators on this class and its base classes throw. @internal */
export function closeDeclarations(routeClass: RouteClass): void {
  for (const link of [...lineageOf(routeClass), ...prototypesOf(routeClass)]) compiled.add(link);
}

/**
 * Adds to the existing declaration, so that two decorators on one target keep all rules.
 * @throws {ConfigurationError} the target is neither a class nor a method, or its routes are already compiled
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
      `${ownerOf(target).name}: expected @K8sAuth and @Public before startup, but its routes are already compiled`,
    ]);
  }
  // A decorator on a constructor parameter has no name either, but its descriptor is the parameter index.
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
  const { methods } = recordOf(target);
  methods.set(name, merge(methods.get(name), added));
}

function declareClass(target: RouteClass, added: Partial<Declaration>): void {
  setDeclaration(target, added);
  const { covered } = recordOf(target);
  for (const origin of prototypesOf(target)) {
    for (const [, method] of ownMethodsOf(origin)) {
      covered.add(method);
      if (!added.demands) continue;
      const { homes } = recordOf(method);
      homes.push({ home: target, origin });
      Reflect.defineMetadata(HOME_CLASSES, homes, method);
    }
  }
}

/**
 * The declaration of this class or function, plus the demands in metadata that was copied to it. Copied metadata can
 * close a route, so that replaced functions stay guarded. It never opens one. Nothing is inherited. @internal
 */
export function declarationOf(target: object): Declaration {
  const own = records.get(target)?.own;
  const copied = copiedDeclarationOf(target);
  if (!copied || copied === own) return own ?? NO_DECLARATION;
  return copied.demands.length === 0 ? (own ?? NO_DECLARATION) : merge(own, { demands: copied.demands });
}

/** Whether a function has the same declaration object as another one. @internal */
export function carriesDeclarationOf(one: object, other: object): boolean {
  const carried = copiedDeclarationOf(one);
  return carried !== undefined && carried === copiedDeclarationOf(other);
}

/** Whether a function has a declaration, its own or a copied one. @internal */
export function carriesDeclaration(target: object): boolean {
  return copiedDeclarationOf(target) !== undefined || isDeclared(declarationOf(target));
}

function copiedDeclarationOf(target: object): Declaration | undefined {
  return Reflect.getOwnMetadata(DECLARATION, target) as Declaration | undefined;
}

/** The declarations of the own methods of this prototype, or of the static methods of this class. @internal */
export function declaredMethodsOf(owner: object): Declarations {
  return records.get(owner)?.methods ?? new Map();
}

/** @internal */
export function isDeclared({ demands, isPublic }: Declaration): boolean {
  return isPublic || demands.length > 0;
}

/**
 * The classes with `@K8sAuth` from which a function of this class was copied, not inherited. If registered classes share
 * a function of a mixin, each class decides for itself. An unregistered class may have been replaced. @internal
 */
export function copiedHomeClassesOf(method: RouteHandler, routeClass: RouteClass): RouteClass[] {
  const lineage = lineageOf(routeClass);
  const owner = prototypesOf(routeClass).find((link) => ownMethodsOf(link).some(([, own]) => own === method));
  const isCovered = lineage.some(
    (link) =>
      records.get(link)?.covered.has(method) &&
      (link === routeClass || declarationOf(link).demands.length > 0),
  );
  const copied = homeClassesOf(method).filter(
    ({ home, origin }) => !lineage.includes(home) && origin !== owner && !(isCovered && isRegistered(home)),
  );
  // Classes that define the function come first. Classes that only inherit it count if none of those has @K8sAuth.
  const written = copied.filter(({ home, origin }) => home.prototype === origin);
  return (written.length > 0 ? written : copied).map(({ home }) => home);
}

/** Whether this class is a home class of the function, directly or by copied metadata. @internal */
export function hasHomeClass(method: RouteHandler, routeClass: RouteClass): boolean {
  return homeClassesOf(method).some(({ home }) => home === routeClass);
}

/** Copied metadata can add home classes, but cannot remove them. */
function homeClassesOf(method: object): readonly HomeClass[] {
  const copied = Reflect.getOwnMetadata(HOME_CLASSES, method) as readonly HomeClass[] | undefined;
  return [...new Set([...(records.get(method)?.homes ?? []), ...(copied ?? [])])];
}

function setDeclaration(target: object, added: Partial<Declaration>): void {
  const own = merge(declarationOf(target), added);
  recordOf(target).own = own;
  // For functions that replace this one and copy its metadata.
  Reflect.defineMetadata(DECLARATION, own, target);
}

function recordOf(target: object): DeclarationRecord {
  const known = records.get(target) ?? { methods: new Map(), covered: new WeakSet(), homes: [] };
  records.set(target, known);
  return known;
}

/** @internal */
export function merge(known: Declaration = NO_DECLARATION, added: Partial<Declaration>): Declaration {
  return {
    demands: [...new Set([...known.demands, ...(added.demands ?? [])])],
    isPublic: known.isPublic || added.isPublic === true,
  };
}
