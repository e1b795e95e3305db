import { createParamDecorator, type ExecutionContext, UseGuards } from '@nestjs/common';
import { type AuthorizationRule } from '../authorization/rules.js';
import { ConfigurationError } from '../errors.js';
import { type Principal } from '../identity/principal.js';
import { authenticatedFor, isRememberedPublic } from './request/authenticated-request.js';
import { K8sAuthGuard } from './request/k8s-auth.guard.js';
import { handlerLabelOf } from './request/route-label.js';
import { runsUnenforced } from './request/unenforced-request.js';
import { labelOf, ownerOf } from './routes/controller-class.js';
import { declarationOf, declare } from './routes/declarations.js';
import { declareEnforcement } from './routes/enforcement.js';
import { authenticatedMessage, connectionRecordOf, isPublicMessage } from './transports/message-record.js';

/**
 * Accepts only callers whose token is issued for `audience` and whom every rule allows. It adds the guard, so no
 * `@UseGuards` is needed. With `APP_GUARD`, a request is still verified only once.
 *
 * The audience of a method overrides the audience of its class. The audience of a class overrides the audience of its
 * base classes. Rules are not overridden: the rules of a method, its class and its base classes must all allow the
 * caller. Startup fails, and names the route, if another decorator prevents Nest from running the guard.
 * @param audience the audience that callers request their tokens for; a list accepts a token for any of its entries, so
 *   that a service can be renamed; the module's option `audience` when omitted
 * @param rules all must allow the caller
 * @throws {ConfigurationError} the target is not a class or a method, or the parentheses are missing
 * @publicApi
 */
export function K8sAuth(
  audience?: string | readonly string[],
  ...rules: AuthorizationRule[]
): ClassDecorator & MethodDecorator {
  assertParentheses('@K8sAuth', [audience, ...rules]);
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    // Copied, so that a later change of the list has no effect.
    const demand = { audience: Array.isArray(audience) ? Array.from(audience) : audience, rules };
    declare(target, name, descriptor, { demands: [demand] });
    UseGuards(K8sAuthGuard)(target, name as string, descriptor as PropertyDescriptor);
  };
}

/**
 * Opens a route, or all routes of this class, to callers without a token. Subclasses do not inherit it. `@K8sAuth` on a
 * method overrides `@Public` on its class. If a base class has `@K8sAuth`, `@Public` on the subclass opens the routes of
 * the subclass, also the inherited ones, unless their method has a decorator. The base class's own routes stay closed.
 * @throws {ConfigurationError} the target is not a class or a method, or the parentheses are missing
 * @publicApi
 */
export function Public(...none: never[]): ClassDecorator & MethodDecorator {
  assertParentheses('@Public', none);
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void =>
    declare(target, name, descriptor, { isPublic: true });
}

/**
 * With `false`, a route with `@K8sAuth` is verified as always, but a request that would be refused is only logged and
 * counted, and then passes: **every caller may use the route**. Use it to find out which callers would be
 * refused, before an existing service is protected. Startup warns and names the routes. With `true`, the route is enforced even if the option
 * `enforce` of the module is `false`.
 *
 * The decorator of a method overrides the one of its class. Subclasses and overrides inherit `true`, and never `false`.
 * On a route that is not enforced, `@Caller()` and `getPrincipal` return `undefined` unless the token was accepted.
 * @param enforce must be a boolean, so that no missing value opens a route
 * @throws {ConfigurationError} the target is not a class or a method, or `enforce` is not a boolean
 * @publicApi
 */
export function EnforceK8sAuth(enforce: boolean, ...none: never[]): ClassDecorator & MethodDecorator {
  assertParentheses('@EnforceK8sAuth', [enforce, ...none]);
  if (typeof enforce !== 'boolean') {
    throw new ConfigurationError(['@EnforceK8sAuth: expected true or false as its argument']);
  }
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void =>
    declareEnforcement(target, name, descriptor, enforce);
}

/**
 * Passes the verified caller to a parameter: the whole {@link Principal}, or one property of it. `undefined` on a
 * `@Public` route, even if the caller sent a token: it is not verified there. Also `undefined` on a route that is not
 * enforced (`enforce: false`), if the token was not accepted.
 * @throws {ConfigurationError} at the request, if the route is neither guarded nor public
 * @publicApi
 */
export function Caller(property?: keyof Principal, ...none: never[]): ParameterDecorator {
  assertParentheses('@Caller', [property, ...none]);
  return CallerParam(property);
}

const CallerParam = createParamDecorator<keyof Principal | undefined>((property, context) => {
  const principal = findPrincipal(context) ?? (isPublic(context) ? undefined : getPrincipal(context));
  return property === undefined ? principal : principal?.[property];
});

/**
 * The verified caller of the request in `context`, for interceptors, pipes and other guards; or the caller who opened the
 * connection of a client of a gateway, for `handleConnection`. If the token was not accepted
 * and the request passed only because its route is not enforced (`enforce: false`), the result is `undefined`, although the
 * type excludes it.
 * @param source the context of the request, or the client of a gateway
 * @throws {ConfigurationError} there is no verified caller: the route is public, or `K8sAuthGuard` has not run yet
 * @publicApi
 */
export function getPrincipal(source: ExecutionContext | GatewayClient): Principal {
  const principal = findPrincipal(source);
  if (principal) return principal;
  // The type stays that of an enforced route, because a route is in this state only for a while.
  const isUnenforced = isContext(source)
    ? runsUnenforced(source)
    : connectionRecordOf(source)?.hasUnenforced === true;
  if (isUnenforced) return undefined as unknown as Principal;
  const label = isContext(source) ? handlerLabelOf(source) : 'connection of a gateway';
  throw new ConfigurationError([
    `${label}: expected a caller that @K8sAuth has accepted, but found no principal`,
  ]);
}

/**
 * The same as {@link getPrincipal}, for code that also runs without a verified caller.
 * @param source the context of the request, or the client of a gateway
 * @returns `undefined` if there is no verified caller. A `@Public` route verifies no token.
 * @publicApi
 */
export function findPrincipal(source: ExecutionContext | GatewayClient): Principal | undefined {
  if (!isContext(source)) return connectionRecordOf(source)?.firstAccepted?.principal;
  const authenticated = source.getType() === 'http' ? authenticatedFor(source) : authenticatedMessage(source);
  return authenticated?.principal;
}

/** A socket of socket.io, or a WebSocket of the package ws. @publicApi */
export type GatewayClient = object;

function isContext(source: object): source is ExecutionContext {
  const { getHandler, getClass } = source as Partial<ExecutionContext>;
  return typeof getHandler === 'function' && typeof getClass === 'function';
}

/** If a test has overridden the guard, the request was not remembered as public. Then the decorators decide. */
function isPublic(context: ExecutionContext): boolean {
  const targets = [context.getHandler(), context.getClass()];
  const isRemembered = context.getType() === 'http' ? isRememberedPublic(context) : isPublicMessage(context);
  return isRemembered || targets.some((target) => declarationOf(target).isPublic);
}

/**
 * A decorator without parentheses is called with its target as arguments, and does not decorate it.
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
