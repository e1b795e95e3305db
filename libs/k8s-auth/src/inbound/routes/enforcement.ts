import { ConfigurationError } from '../../errors.js';
import { ENFORCEMENT_RECORDS } from '../inbound.constants.js';
import { isConstructor, labelOf, lineageOf, prototypesOf, type RouteClass } from './controller-class.js';
import { copiedHomeClassesOf } from './declarations.js';
import { type RoutePolicy } from './route.js';

/** The `@EnforceK8sAuth` decorators on one class or prototype. */
interface EnforcementRecord {
  /** Of the class itself. */
  own?: boolean;
  readonly methods: Map<string | symbol, boolean>;
}

type WithRecords = { [ENFORCEMENT_RECORDS]?: WeakMap<object, EnforcementRecord> };
/** Not metadata, which other decorators can copy. On the global object, because one process may load the library twice. */
const records = ((globalThis as WithRecords)[ENFORCEMENT_RECORDS] ??= new WeakMap());

/**
 * Stores what `@EnforceK8sAuth` says about a class or a method. With two of them on one target, `true` applies.
 * @throws {ConfigurationError} the target is neither a class nor a method
 * @internal
 */
export function declareEnforcement(
  target: object,
  name: string | symbol | undefined,
  descriptor: PropertyDescriptor | undefined,
  enforce: boolean,
): void {
  const record: EnforcementRecord = records.get(target) ?? { methods: new Map() };
  if (name === undefined && descriptor === undefined && isConstructor(target)) {
    record.own = enforce || record.own === true;
  } else if (name !== undefined && typeof descriptor?.value === 'function') {
    record.methods.set(name, enforce || record.methods.get(name) === true);
  } else {
    throw new ConfigurationError([
      `${labelOf(target, name)}: expected @EnforceK8sAuth on a class or a method, with experimentalDecorators`,
    ]);
  }
  records.set(target, record);
}

/**
 * What the decorators say about one route. The one of a method overrides the one of its class. `true` is inherited by
 * overrides and subclasses. `false` is not: like `@Public`, it opens routes where it is written, and nowhere else.
 * @returns `undefined` if no decorator decides, so that the option of the module does
 * @internal
 */
export function declaredEnforcementOf(routeClass: RouteClass, name: string): boolean | undefined {
  const ofMethod = declaredMethodEnforcementOf(routeClass, name);
  if (ofMethod !== undefined) return ofMethod;
  const method: unknown = Reflect.get(routeClass.prototype as object, name);
  return declaredClassEnforcementOf(routeClass, isCopied(method, routeClass));
}

/** What the decorators of the method itself say. @internal */
export function declaredMethodEnforcementOf(routeClass: RouteClass, name: string): boolean | undefined {
  const prototypes = prototypesOf(routeClass).filter((link) => Object.hasOwn(link, name));
  const [nearest, ...overridden] = prototypes.map((link) => records.get(link)?.methods.get(name));
  return nearest ?? (overridden.includes(true) || undefined);
}

/** What the decorators say about every method that has no decorator of its own. @internal */
export function declaredClassEnforcementOf(
  routeClass: RouteClass,
  isCopiedMethod = false,
): boolean | undefined {
  const own = records.get(routeClass)?.own;
  // A method that was copied from a class with @K8sAuth stays enforced, as it stays closed in a class with @Public.
  if (own !== undefined && (own || !isCopiedMethod)) return own;
  return lineageOf(routeClass).some((link) => records.get(link)?.own) || undefined;
}

/** Whether any method of the class has the decorator. @internal */
export function hasMethodEnforcement(routeClass: RouteClass): boolean {
  return prototypesOf(routeClass).some((link) => (records.get(link)?.methods.size ?? 0) > 0);
}

/** The decorator refuses nobody and opens nothing where there is no `@K8sAuth`, so it can only be a mistake. @internal */
export function findEnforcementMistakes(
  label: string,
  { kind }: RoutePolicy,
  routeClass: RouteClass,
  name: string,
): string[] {
  const isDeclared = prototypesOf(routeClass).some((link) => records.get(link)?.methods.has(name));
  return isDeclared && kind !== 'protected'
    ? [`${label}: expected @K8sAuth beside @EnforceK8sAuth, because there is nothing else to enforce`]
    : [];
}

function isCopied(method: unknown, routeClass: RouteClass): boolean {
  return typeof method === 'function' && copiedHomeClassesOf(method, routeClass).length > 0;
}
