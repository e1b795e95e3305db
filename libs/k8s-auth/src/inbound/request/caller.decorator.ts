import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ConfigurationError } from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { assertParentheses, declarationOf } from '../routes/declarations.js';
import { authenticatedFor, isRememberedPublic } from './authenticated-request.js';
import { handlerLabelOf } from './route-label.js';

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

const CallerParam = createParamDecorator<keyof Principal | undefined>((property, context) => {
  const principal = isPublic(context) ? undefined : getPrincipal(context);
  return property === undefined ? principal : principal?.[property];
});

/** Where a test has overridden the guard, nobody remembers: then the decorators tell. */
function isPublic(context: ExecutionContext): boolean {
  if (context.getType() !== 'http' || authenticatedFor(context)) return false;
  const targets = [context.getHandler(), context.getClass()];
  return isRememberedPublic(context) || targets.some((target) => declarationOf(target).isPublic);
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
