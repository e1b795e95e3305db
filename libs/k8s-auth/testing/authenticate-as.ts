import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../src/identity/principal.js';
import { AUTHENTICATES_IN_TESTS } from '../src/inbound/inbound.constants.js';
import { AuthenticatedRequest, rememberAuthenticated } from '../src/inbound/request/authenticated-request.js';
import { findTransport } from '../src/inbound/transports/index.js';
import { rememberMessage } from '../src/inbound/transports/message-record.js';

/**
 * A guard that replaces `K8sAuthGuard` in tests of guarded routes: every request is treated as a request of
 * `principal`, whatever it contains, and no rule is evaluated. `@Caller()` and `getPrincipal()` return this principal.
 *
 * `overrideGuard(K8sAuthGuard).useValue(authenticateAs(…))` if decorators install the guard, also without
 * K8sAuthModule; `overrideProvider(K8sAuthGuard).useValue(authenticateAs(…))` if the guard is global (APP_GUARD).
 * @publicApi
 */
export function authenticateAs(principal: Principal): CanActivate {
  const guard: CanActivate & { readonly [AUTHENTICATES_IN_TESTS]: true } = {
    [AUTHENTICATES_IN_TESTS]: true,
    canActivate(context: ExecutionContext): boolean {
      const authenticated = new AuthenticatedRequest(undefined, context, principal, '');
      const transport = findTransport(context);
      if (transport) rememberMessage(context, transport, authenticated);
      else rememberAuthenticated(context.switchToHttp().getRequest<unknown>(), authenticated);
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
