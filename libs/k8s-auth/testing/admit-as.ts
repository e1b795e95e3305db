import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../src/identity/principal.js';
import { rememberAdmission } from '../src/inbound/admission.js';

/**
 * A guard to put in the place of `K8sAuthGuard`, for tests of what stands behind it: every request comes from
 * `principal`, whatever it carries, and no rule is asked. `@Caller()` and `getPrincipal()` give it.
 *
 * `overrideGuard(K8sAuthGuard).useValue(admitAs(…))` where decorators bring the guard, also without K8sAuthModule;
 * `overrideProvider(K8sAuthGuard).useValue(admitAs(…))` where it is global (APP_GUARD).
 * @publicApi
 */
export function admitAs(principal: Principal): CanActivate {
  return {
    canActivate(context: ExecutionContext): boolean {
      const admission = {
        routeClass: context.getClass(),
        handler: context.getHandler(),
        principal,
        token: '',
      };
      rememberAdmission(context.switchToHttp().getRequest<unknown>(), admission);
      return true;
    },
  };
}
