import { UseGuards } from '@nestjs/common';
import { type AuthorizationRule } from '../../authorization/authorization-rule.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';
import { assertParentheses, declare } from './declarations.js';

/**
 * Admits only callers whose token is issued for `audience` and whom every rule allows. It brings the guard, so nothing
 * else is needed; with `APP_GUARD` the guard still runs once per request.
 *
 * A method's audience overrides the audience of its class, and a class's audience that of its base classes. Rules are
 * not overridden: the rules of a method add to those of its class and base classes, and all must allow the caller. Startup fails, and names the route, where another decorator keeps Nest from running the guard.
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
