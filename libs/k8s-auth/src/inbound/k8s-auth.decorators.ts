import { createParamDecorator, type ExecutionContext, UseGuards } from '@nestjs/common';
import { type AuthorizationRule } from '../authorization/authorization-rule.js';
import { ConfigurationError } from '../errors.js';
import { type Principal } from '../identity/principal.js';
import { authenticatedFor, isRememberedPublic } from './request/authenticated-request.js';
import { K8sAuthGuard } from './request/k8s-auth.guard.js';
import { handlerLabelOf } from './request/refusal.js';
import { labelOf, ownerOf } from './routes/controller-class.js';
import { declarationOf, declare } from './routes/declarations.js';

/**
 * Admits only callers whose token is issued for `audience` and whom every rule allows. It brings the guard, so nothing
 * else is needed; with `APP_GUARD` the guard still runs once per request.
 *
 * A method's audience overrides the audience of its class, and a class's audience that of its base classes. Rules are
 * not overridden: the rules of a method add to those of its class and base classes, and all must allow the caller.
 * Startup fails, and names the route, where another decorator keeps Nest from running the guard.
 * @param audience what callers request their tokens for; a list accepts a token for any of its entries, so that a
 *   service can be renamed; the module's option `audience` when omitted
 * @param rules all must allow the caller
 * @throws {ConfigurationError} it stands on anything but a class or a method, or is used without parentheses
 * @publicApi
 */
export function K8sAuth(
  audience?: string | readonly string[],
  ...rules: AuthorizationRule[]
): ClassDecorator & MethodDecorator {
  assertParentheses('@K8sAuth', [audience, ...rules]);
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    // Copied: what becomes of the caller's list later changes nothing.
    const demand = { audience: Array.isArray(audience) ? Array.from(audience) : audience, rules };
    declare(target, name, descriptor, { demands: [demand] });
    UseGuards(K8sAuthGuard)(target, name as string, descriptor as PropertyDescriptor);
  };
}

/**
 * Opens a route, or all routes of this class, to callers without a token. Subclasses do not inherit it. `@K8sAuth` on a
 * method closes its route under a class's `@Public`. On a subclass of a class with `@K8sAuth` it opens what no decorator of
 * a method says otherwise, the routes that this subclass inherits included; the routes of the base class stay closed.
 * @throws {ConfigurationError} it stands on anything but a class or a method, or is used without parentheses
 * @publicApi
 */
export function Public(...none: never[]): ClassDecorator & MethodDecorator {
  assertParentheses('@Public', none);
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void =>
    declare(target, name, descriptor, { isPublic: true });
}

/**
 * Hands the verified caller to a parameter: the whole {@link Principal}, or one property of it. `undefined` on a
 * `@Public` route, also when a token was sent: nobody has looked at it.
 * @throws {ConfigurationError} at the request, when the route is neither guarded nor public
 * @publicApi
 */
export function Caller(property?: keyof Principal, ...none: never[]): ParameterDecorator {
  assertParentheses('@Caller', [property, ...none]);
  return CallerParam(property);
}

const CallerParam = createParamDecorator<keyof Principal | undefined>((property, context) => {
  const principal = isPublic(context) ? undefined : getPrincipal(context);
  return property === undefined ? principal : principal?.[property];
});

/**
 * The verified caller of the route that `context` stands for, for interceptors, pipes and other guards.
 * @throws {ConfigurationError} there is none: the route is public, or no `K8sAuthGuard` has run yet
 * @publicApi
 */
export function getPrincipal(context: ExecutionContext): Principal {
  const principal = context.getType() === 'http' ? authenticatedFor(context)?.principal : undefined;
  if (!principal) {
    throw new ConfigurationError([
      `${handlerLabelOf(context)}: expected @K8sAuth to have let a caller in, but found no principal`,
    ]);
  }
  return principal;
}

/** Where a test has overridden the guard, nobody remembers: then the decorators tell. */
function isPublic(context: ExecutionContext): boolean {
  if (context.getType() !== 'http' || authenticatedFor(context)) return false;
  const targets = [context.getHandler(), context.getClass()];
  return isRememberedPublic(context) || targets.some((target) => declarationOf(target).isPublic);
}

/**
 * A decorator without parentheses is called with what it stands on, and decorates nothing.
 * @param used the arguments of the decorator's factory
 * @throws {ConfigurationError}
 */
function assertParentheses(decorator: string, used: readonly unknown[]): void {
  const [target, name] = used;
  const isOnClass = typeof target === 'function' && /^class\b/.test(Function.prototype.toString.call(target));
  const isOnMember = (typeof name === 'string' || typeof name === 'symbol') && typeof target === 'object';
  if (!isOnClass && (!isOnMember || target === null || Array.isArray(target))) return;
  const label = used.length > 1 ? labelOf(target, name) : ownerOf(target).name;
  throw new ConfigurationError([
    `${label}: expected ${decorator}() with parentheses, not ${decorator} alone`,
  ]);
}
