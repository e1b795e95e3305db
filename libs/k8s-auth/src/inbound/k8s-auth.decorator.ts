import { UseGuards } from '@nestjs/common';
import { type AuthorizationRule } from '../authorization/authorization-rule.js';
import { K8sAuthGuard } from './k8s-auth.guard.js';
import { declareDemand } from './route-policy.js';

/**
 * Lets in only callers whose token is made for `audience` and whom every rule allows. It brings the guard, so that
 * nothing else is needed; with `APP_GUARD` the guard still runs once per request.
 *
 * A method's audience wins over its class's, a class's over that of its bases; the rules of all of them have to
 * hold. Put it next to the route decorators: a decorator below it that replaces the method would hide it.
 * @param audience the name that callers ask tokens for; the module's option `audience` when omitted
 * @param rules all have to hold
 * @publicApi
 */
export function K8sAuth(audience?: string, ...rules: AuthorizationRule[]): ClassDecorator & MethodDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    declareDemand(descriptor ? (descriptor.value as object) : target, { audience, rules });
    if (key !== undefined && descriptor) UseGuards(K8sAuthGuard)(target, key, descriptor);
    else (UseGuards(K8sAuthGuard) as ClassDecorator)(target as never);
  };
}
