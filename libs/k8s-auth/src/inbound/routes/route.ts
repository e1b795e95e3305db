import { type ExecutionContext } from '@nestjs/common';
import { type HttpAdapterHost } from '@nestjs/core';
import { type AuthorizationRule } from '../../authorization/rules.js';
import { type EventSink } from '../../events/k8s-auth.events.js';
import { audienceKeyOf, readAudiences } from '../../identity/names.js';
import { type Clock } from '../../util/clock.js';
import { type Verify } from '../../verifiers/verifier.js';
import { type RefusalLog } from '../request/refusal-log.js';
import { type LongLivedConnectionsOption } from '../transports/long-lived-connections.js';
import {
  lineageOf,
  ownMethodsOf,
  possibleClassesOf,
  prototypesOf,
  type RouteClass,
} from './controller-class.js';
import {
  type Declaration,
  declarationOf,
  declaredMethodsOf,
  copiedHomeClassesOf,
  isDeclared,
  type K8sAuthDemand,
  merge,
  NO_DECLARATION,
} from './declarations.js';
import { type PublicControllers } from './public-controllers.js';
import { type RouteSummary } from './route-summary.js';

/** What a route requires of its callers. */
export type RoutePolicy =
  | {
      readonly kind: 'protected';
      /** The audience of the decorator; `undefined` means the module's audience. */
      readonly audience: K8sAuthDemand['audience'];
      /** All of them must allow the caller. */
      readonly rules: readonly AuthorizationRule[];
    }
  | { readonly kind: 'public' }
  | { readonly kind: 'undecorated' };

/** Everything that the guard needs to know about one route, computed at startup. */
export interface Route {
  /** `OrdersController.list` */
  readonly label: string;
  readonly policy: RoutePolicy;
  /** The token must be issued for one of these. Empty for routes that need no token. */
  readonly audiences: readonly string[];
  /** The `forRoot` of a protected route. Its verifier verifies the requests. */
  readonly root: InboundRoot | undefined;
  /** `false`: a request that would be refused is only logged and counted, and then passes. */
  readonly enforce: boolean;
}

/** One route; `unknown`: startup has not seen the function; `ambiguous`: several routes with different requirements. */
export type RouteMatch = Route | 'unknown' | 'ambiguous';

export interface RouteFinder {
  find(context: ExecutionContext): RouteMatch;
  readonly summary: RouteSummary;
}

/** The receiving side of one `K8sAuthModule.forRoot`, for the controllers of the modules that import it. */
export interface InboundRoot {
  /** `undefined` in a service that only calls others. */
  readonly verify: Verify | undefined;
  /** What `@K8sAuth()` without an argument requires. */
  readonly audience: string | readonly string[] | undefined;
  /** Longer tokens are refused and not verified. Unit: bytes of the b64token, which is ASCII. */
  readonly maxTokenBytes: number;
  readonly publicControllers: PublicControllers;
  /** Whether its routes are enforced, unless a decorator says otherwise. */
  readonly enforce: boolean;
  readonly refusals: RefusalLog;
  readonly events: EventSink;
  readonly adapterHost: HttpAdapterHost;
  readonly longLivedConnections: LongLivedConnectionsOption;
  readonly clock: Clock;
  readonly routes: RouteFinder;
}

/** A controller in one of the modules that register it. */
export interface RegisteredController {
  readonly routeClass: RouteClass;
  /** In request scope: a placeholder that inherits from the class's prototype, and whose constructor has not run. */
  readonly instance: object;
  readonly moduleKey: string;
  /** The root of the module; `undefined` if the module cannot access a `K8sAuthModule`. */
  readonly root: InboundRoot | undefined;
}

/**
 * The declaration of a method: where the decorator was applied, and on the current function. An override without a
 * decorator keeps the demands of the method that it overrides, but not its `@Public`.
 * @internal
 */
export function methodDeclarationOf(routeClass: RouteClass, name: string): Declaration {
  const links = prototypesOf(routeClass).filter((link) => Object.hasOwn(link, name));
  for (const [index, link] of links.entries()) {
    const declaration = declarationOn(link, name);
    if (isDeclared(declaration)) return index === 0 ? declaration : { ...declaration, isPublic: false };
  }
  return NO_DECLARATION;
}

/** @internal */
export function declarationOn(prototype: object, name: string | symbol): Declaration {
  const method: unknown = Reflect.getOwnPropertyDescriptor(prototype, name)?.value;
  return merge(
    declaredMethodsOf(prototype).get(name),
    typeof method === 'function' ? declarationOf(method) : NO_DECLARATION,
  );
}

/**
 * For audience and `@Public`, a method's declaration overrides that of its class. The rules of both apply. Subclasses
 * inherit `@K8sAuth`, but not `@Public`. With both on one target, startup fails; this function returns `protected` then.
 * @internal
 */
export function policyOf(routeClass: RouteClass, name: string): RoutePolicy {
  const method: unknown = Reflect.get(routeClass.prototype as object, name);
  const homes = typeof method === 'function' ? copiedHomeClassesOf(method, routeClass) : [];
  const { demands, isPublic } = methodDeclarationOf(routeClass, name);
  if (isPublic && demands.length === 0) return { kind: 'public' };
  return policyFrom(demands, routeClass, homes);
}

/** The policy of every method that has no declaration of its own. @internal */
export function classPolicyOf(routeClass: RouteClass): RoutePolicy {
  return policyFrom([], routeClass, []);
}

/** Whether two routes accept the same callers. Then it does not matter which of them a request is for. @internal */
export function isSamePolicy(one: RoutePolicy, other: RoutePolicy): boolean {
  if (one.kind !== 'protected' || other.kind !== 'protected') return one.kind === other.kind;
  return (
    audienceKeyOf(one.audience) === audienceKeyOf(other.audience) &&
    one.rules.every((rule) => other.rules.includes(rule)) &&
    other.rules.every((rule) => one.rules.includes(rule))
  );
}

function policyFrom(
  ofMethod: readonly K8sAuthDemand[],
  routeClass: RouteClass,
  homes: readonly RouteClass[],
): RoutePolicy {
  const own = declarationOf(routeClass);
  const isOpened = own.isPublic && own.demands.length === 0;
  // A method that was copied from a class with @K8sAuth stays closed, even in a class with @Public.
  if (isOpened && ofMethod.length === 0 && homes.length === 0) return { kind: 'public' };
  const classes = [...new Set([routeClass, ...homes].flatMap(lineageOf))];
  const demands = [...ofMethod, ...classes.flatMap((link) => declarationOf(link).demands)];
  const [nearest] = demands;
  if (!nearest) return { kind: 'undecorated' };
  return { kind: 'protected', audience: nearest.audience, rules: demands.flatMap(({ rules }) => rules) };
}

/**
 * @param root the root of the controller's module
 * @param declared what `@EnforceK8sAuth` says. Without a root, nothing but enforcing is safe.
 * @internal
 */
export function toRoute(
  label: string,
  policy: RoutePolicy,
  root: InboundRoot | undefined,
  declared?: boolean,
): Route {
  const enforce = root === undefined || (declared ?? root.enforce);
  // `root` is always an own property, so that it is never read from a polluted prototype.
  if (policy.kind !== 'protected' || !root) return { label, policy, audiences: [], root: undefined, enforce };
  // Not `??`: `null` is a mistake, and must not mean the module's audience.
  const audience: unknown = policy.audience === undefined ? root.audience : policy.audience;
  return { label, policy, audiences: readAudiences(audience) ?? [], root, enforce };
}

/** Whether any class or method that a request for this controller may reach has one of our decorators. @internal */
export function isDecorated(routeClass: RouteClass, instance: object): boolean {
  return possibleClassesOf(routeClass, instance).some((possible) => {
    const prototype = possible.prototype as object | null | undefined;
    return (
      isDeclared(declarationOf(possible)) ||
      (prototype &&
        (declaredMethodsOf(prototype).size > 0 ||
          ownMethodsOf(prototype).some(
            ([, method]) =>
              isDeclared(declarationOf(method)) || copiedHomeClassesOf(method, possible).length > 0,
          )))
    );
  });
}
