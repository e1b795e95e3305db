import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../src/identity/principal.js';
import { AUTHENTICATES_IN_TESTS } from '../src/inbound/inbound.constants.js';
import { AuthenticatedRequest, rememberAuthenticated } from '../src/inbound/request/authenticated-request.js';

/**
 * A guard to put in the place of `K8sAuthGuard`, for tests of what stands behind it: every request comes from
 * `principal`, whatever it carries, and no rule is asked. `@Caller()` and `getPrincipal()` give it.
 *
 * `overrideGuard(K8sAuthGuard).useValue(authenticateAs(…))` where decorators bring the guard, also without
 * K8sAuthModule; `overrideProvider(K8sAuthGuard).useValue(authenticateAs(…))` where it is global (APP_GUARD).
 * @publicApi
 */
export function authenticateAs(principal: Principal): CanActivate {
  const guard: CanActivate & { readonly [AUTHENTICATES_IN_TESTS]: true } = {
    [AUTHENTICATES_IN_TESTS]: true,
    canActivate(context: ExecutionContext): boolean {
      rememberAuthenticated(
        context.switchToHttp().getRequest<unknown>(),
        new AuthenticatedRequest(undefined, context, principal, ''),
      );
      return true;
    },
  };
  return guard;
}

/**
 * The former name of {@link authenticateAs}.
 * @deprecated use `authenticateAs`
 * @publicApi
 */
export const admitAs = authenticateAs;
