import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { type AuthorizationRule, decide } from '../../authorization/authorization-rule.js';
import {
  ForbiddenPrincipalError,
  UndecoratedRouteError,
  UnsupportedContextError,
  VerifierUnavailableError,
} from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { loggable } from '../../util/log.js';
import { type Verdict } from '../../verifiers/verifier.js';
import { K8S_AUTH_INBOUND_ROOT } from '../inbound.constants.js';
import { type InboundRoot, type Route } from '../routes/route.js';
import {
  AuthenticatedRequest,
  authenticatedFor,
  lastAuthenticated,
  rememberAuthenticated,
} from './authenticated-request.js';
import { readBearerToken, RequestConnection, takeAuthorizationOff } from './bearer-token.js';
import { type RefusedRequest, refuse } from './refusal.js';

/**
 * Lets a request through to the controller, or not, as the route table says that startup compiled.
 *
 * `@K8sAuth` brings it. As `{ provide: APP_GUARD, useExisting: K8sAuthGuard }` it closes every route that has
 * neither `@K8sAuth` nor `@Public`. Without APP_GUARD these routes are open, and startup warns of them only if no route
 * has `@K8sAuth`. A request is verified once per handler, however often the guard is bound.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {UnsupportedContextError} the context is not HTTP, and the handler not `@Public`
 * @publicApi
 */
@Injectable()
export class K8sAuthGuard implements CanActivate {
  constructor(@Inject(K8S_AUTH_INBOUND_ROOT) private readonly root: InboundRoot) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { root } = this;
    const route = root.routes.find(context);
    if (context.getType() !== 'http') {
      // There is no token to read. A handler that needs none may pass.
      if (typeof route !== 'string' && route.policy.kind === 'public') return true;
      return refuse(root, { context }, new UnsupportedContextError('context is not http'));
    }
    if (typeof route === 'string') {
      return refuse(root, { context }, new UndecoratedRouteError('handler is not in the route table'));
    }
    // By the root that serves the route: this guard may be of the module that another one serves.
    if (route.policy.kind === 'protected') return authenticate(context, route, route.root ?? root);
    if (route.policy.kind === 'public') return true;
    return refuse(root, { context }, new UndecoratedRouteError('route has neither @K8sAuth nor @Public'));
  }

  /** Whether it works for the given `forRoot`. @internal */
  isOf(root: object): boolean {
    return this.root === root;
  }
}

/** What is known about a request so far; filled on the way, read when it is refused. */
type Progress = { -readonly [Field in keyof RefusedRequest]: RefusedRequest[Field] };

/**
 * Reads the token, has the root's verifier accept it for the route's audiences, asks the route's rules, in that order.
 * Once per request and handler: what the same root has accepted before passes.
 * @returns synchronously when the verifier does: a cached verdict should not wait for the event loop
 * @throws {HttpException} 400, 401, 403 or 503: whatever goes wrong on the way refuses
 * @internal
 */
export function authenticate(
  context: ExecutionContext,
  route: Route,
  root: InboundRoot,
): true | Promise<true> {
  const progress: Progress = { context };
  try {
    const result = authenticateOnce(progress, route, root);
    return result === true ? true : result.catch((error: unknown) => refuse(root, progress, error));
  } catch (error) {
    return refuse(root, progress, error);
  }
}

function authenticateOnce(progress: Progress, route: Route, root: InboundRoot): true | Promise<true> {
  const { context } = progress;
  if (authenticatedFor(context, root)) return true;
  const request = context.switchToHttp().getRequest<unknown>();
  const token = lastAuthenticated(request)?.token ?? readBearerToken(request, root.maxTokenBytes);
  progress.token = token;
  const verdict = verify(request, token, route, root);
  if (!isThenable(verdict)) return acceptVerdict(progress, token, route, root, verdict);
  return Promise.resolve(verdict).then((settled) => acceptVerdict(progress, token, route, root, settled));
}

function verify(
  request: unknown,
  token: string,
  { audiences }: Route,
  root: InboundRoot,
): Verdict | PromiseLike<Verdict> {
  // Startup has checked both; an empty list would mean the API server's own audiences to a TokenReview.
  if (!root.verify || audiences.length === 0) throw new VerifierUnavailableError('route cannot be verified');
  return root.verify(token, audiences, new RequestConnection(request));
}

function acceptVerdict(
  progress: Progress,
  token: string,
  { policy }: Route,
  root: InboundRoot,
  { principal }: Verdict,
): true {
  // A verifier of somebody's own may be untyped: without a name there is nobody to let in.
  if (typeof principal?.username !== 'string') throw new TypeError('verdict has no principal');
  const { context } = progress;
  progress.principal = principal;
  for (const rule of policy.kind === 'protected' ? policy.rules : []) assertAllowed(rule, principal);
  const request = context.switchToHttp().getRequest<unknown>();
  takeAuthorizationOff(request);
  rememberAuthenticated(request, new AuthenticatedRequest(root, context, principal, token));
  return true;
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
