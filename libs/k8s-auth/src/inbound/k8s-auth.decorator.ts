import { UseGuards } from '@nestjs/common';
import { type AuthorizationRule } from '../authorization/authorization-rule.js';
import { K8sAuthGuard } from './k8s-auth.guard.js';
import { ReplacedMethodGuard } from './replaced-method.guard.js';
import { declareDemand, hasDemandingMethods, rememberDemandingMethod } from './route-declaration.js';

/**
 * Lets in only callers whose token is made for `audience` and whom every rule allows. It brings the guard, so that
 * nothing else is needed; with `APP_GUARD` the guard still runs once per request.
 *
 * A method's audience wins over its class's, a class's over that of its bases; the rules of all of them have to
 * hold. A decorator above it that replaces the method has to carry its metadata on; the boot names one that does not.
 * @param audience the name that callers ask tokens for; the module's option `audience` when omitted
 * @param rules all have to hold
 * @publicApi
 */
export function K8sAuth(audience?: string, ...rules: AuthorizationRule[]): ClassDecorator & MethodDecorator {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (name === undefined || !descriptor) {
      declareDemand(target, { audience, rules });
      (UseGuards(K8sAuthGuard) as ClassDecorator)(target as never);
      return;
    }
    declareDemand(descriptor.value as object, { audience, rules });
    if (typeof target !== 'function' && !hasDemandingMethods(target))
      UseGuards(ReplacedMethodGuard)(target.constructor);
    rememberDemandingMethod(target, name);
    UseGuards(K8sAuthGuard)(target, name, descriptor);
  };
}
