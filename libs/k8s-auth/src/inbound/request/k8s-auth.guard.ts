import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { type AuthorizationRule } from '../../authorization/authorization-rule.js';
import { decide } from '../../authorization/decide.js';
import {
  ForbiddenPrincipalError,
  UndecoratedRouteError,
  UnsupportedContextError,
  VerifierUnavailableError,
} from '../../errors/index.js';
import { type Principal } from '../../identity/principal.js';
import { loggable } from '../../shared/log.js';
import { type Verdict } from '../../verifiers/token-verifier.js';
import { type InboundRoot, K8S_AUTH_INBOUND_ROOT } from '../inbound-root.js';
import { type Route } from '../routes/route-table.js';
import {
  AuthenticatedRequest,
  authenticatedFor,
  lastAuthenticated,
  rememberAuthenticated,
} from './authenticated-request.js';
import { readBearerToken, takeAuthorizationOff } from './bearer-token.js';
import { type RefusedRequest, refuse } from './refusal.js';

/** What is known about a request so far; filled on the way, read when it is refused. */
type Progress = { -readonly [Field in keyof RefusedRequest]: RefusedRequest[Field] };

/**
 * Lets a request through to the controller, or not: finds its route in the table that startup compiled, reads the
 * token, has it verified for the route's audiences, asks the route's rules, in that order. Decides nothing itself;
 * whatever goes wrong on the way refuses.
 *
 * `@K8sAuth` brings it. As `{ provide: APP_GUARD, useExisting: K8sAuthGuard }` it closes every route that has
 * neither `@K8sAuth` nor `@Public`. It runs once per request and handler, however often it is bound.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {UnsupportedContextError} the context is not HTTP
 * @publicApi
 */
@Injectable()
export class K8sAuthGuard implements CanActivate {
  constructor(@Inject(K8S_AUTH_INBOUND_ROOT) private readonly root: InboundRoot) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const progress: Progress = { context };
    try {
      const isAdmitted = this.examine(progress);
      if (isAdmitted === true) return true;
      return isAdmitted.catch((error: unknown) => refuse(this.root, progress, error));
    } catch (error) {
      return refuse(this.root, progress, error);
    }
  }

  /** Whether it works for the given `forRoot`. @internal */
  isOf(root: object): boolean {
    return this.root === root;
  }

  private examine(progress: Progress): true | Promise<true> {
    const { context } = progress;
    if (context.getType() !== 'http') throw new UnsupportedContextError('context is not http');
    const route = this.root.routes.find(context, this.root);
    if (route === 'served-by-other-root') return true;
    if (route === 'unknown') throw new UndecoratedRouteError('handler is not in the route table');
    if (route === 'ambiguous')
      throw new UndecoratedRouteError('handler stands for several routes that differ');
    const { policy } = route;
    if (policy.kind === 'undecorated')
      throw new UndecoratedRouteError('route has neither @K8sAuth nor @Public');
    if (policy.kind === 'public' || authenticatedFor(context, this.root)) return true;
    const request = context.switchToHttp().getRequest<unknown>();
    const token = lastAuthenticated(request)?.token ?? readBearerToken(request, this.root.maxTokenBytes);
    progress.token = token;
    const verdict = this.verify(token, route);
    // No promise where none is needed: a cached verdict should not wait for the event loop.
    if (!isThenable(verdict)) return this.admit(progress, token, policy.rules, verdict);
    return Promise.resolve(verdict).then((settled) => this.admit(progress, token, policy.rules, settled));
  }

  private verify(token: string, { audiences }: Route): Verdict | PromiseLike<Verdict> {
    // Startup has checked both; a list that became empty would mean the API server's own audiences to a TokenReview.
    if (!this.root.verifier || audiences.length === 0)
      throw new VerifierUnavailableError('route cannot be verified');
    return this.root.verifier.verify(token, audiences);
  }

  private admit(
    progress: Progress,
    token: string,
    rules: readonly AuthorizationRule[],
    { principal }: Verdict,
  ): true {
    // A verifier of somebody's own may be untyped: without a name there is nobody to let in.
    if (typeof principal?.username !== 'string') throw new TypeError('verdict has no principal');
    const { context } = progress;
    progress.principal = principal;
    for (const rule of rules) assertAllowed(rule, principal);
    const request = context.switchToHttp().getRequest<unknown>();
    takeAuthorizationOff(request);
    rememberAuthenticated(
      request,
      new AuthenticatedRequest(this.root, context.getClass(), context.getHandler(), principal, token),
    );
    return true;
  }
}

function isThenable(verdict: Verdict | PromiseLike<Verdict>): verdict is PromiseLike<Verdict> {
  return typeof (verdict as { then?: unknown } | undefined)?.then === 'function';
}

/** @throws {ForbiddenPrincipalError} for anything but an explicit yes */
function assertAllowed(rule: AuthorizationRule, principal: Principal): void {
  const outcome = decide(rule, principal);
  if (outcome.kind === 'allowed') return;
  throw new ForbiddenPrincipalError(
    loggable(`rule ${rule.name || 'without a name'} refused: ${outcome.reason}`),
  );
}
