import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { type AuthorizationRule, decide } from '../../authorization/rules.js';
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
import { AcceptedRequestEvent } from './accepted-request.event.js';
import {
  AuthenticatedRequest,
  isRememberedUnenforced,
  lastAuthenticated,
  rememberAuthenticated,
} from './authenticated-request.js';
import {
  checkBearerSyntax,
  readBearerToken,
  removeAuthorization,
  RequestConnection,
  requestOf,
} from './bearer-token.js';
import { type RefusedRequest, refuse } from './refusal.js';

/**
 * Accepts or refuses a request, as the route table requires. Startup has compiled that table from the decorators.
 *
 * `@K8sAuth` adds this guard to its routes. As `{ provide: APP_GUARD, useExisting: K8sAuthGuard }` it also refuses every
 * request for a route that has neither `@K8sAuth` nor `@Public`. Without APP_GUARD these routes are open, and startup
 * warns about them only if no route has `@K8sAuth`. A request is verified once per handler, even if several guards run.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {UnsupportedContextError} the context is not HTTP, and the handler is not `@Public`
 * @publicApi
 */
@Injectable()
export class K8sAuthGuard implements CanActivate {
  constructor(@Inject(K8S_AUTH_INBOUND_ROOT) private readonly root: InboundRoot) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { root } = this;
    const route = root.routes.find(context);
    if (context.getType() !== 'http') {
      // There is no token to read. A public handler needs no token.
      if (typeof route !== 'string' && route.policy.kind === 'public') return true;
      return refuse(root, { context }, new UnsupportedContextError('context is not http'));
    }
    if (typeof route === 'string') {
      return refuse(root, { context }, new UndecoratedRouteError('handler is not in the route table'));
    }
    // The root of the route decides: this guard may belong to a module with another root.
    if (route.policy.kind === 'protected') return authenticate(context, route, route.root ?? root);
    if (route.policy.kind === 'public') return true;
    const refused = { context, enforce: route.enforce };
    return refuse(root, refused, new UndecoratedRouteError('route has neither @K8sAuth nor @Public'));
  }

  /** Whether this guard belongs to the given `forRoot`. @internal */
  isOf(root: object): boolean {
    return this.root === root;
  }
}

let isModuleUsed = false;

/** Call this when the application configures `K8sAuthModule`. @internal */
export function noteModuleUsed(): void {
  isModuleUsed = true;
}

// Nest finds out first that the module is missing. Its error contains the name of this class, and nothing else of ours.
Object.defineProperty(K8sAuthGuard, 'name', {
  configurable: true,
  get: () =>
    isModuleUsed
      ? 'K8sAuthGuard'
      : 'K8sAuthGuard (K8sAuthModule.forRoot is missing in the imports of the root module)',
});

/** What is known about a request so far. Each step adds to it; a refusal reads it. */
type Progress = { -readonly [Field in keyof RefusedRequest]: RefusedRequest[Field] };

/**
 * Reads the token, verifies it for the route's audiences with the root's verifier, and asks the route's rules, in that
 * order. Does this once per request and handler: a request that the same root has accepted before passes.
 * @returns synchronously when the verifier does: a cached verdict does not wait for the event loop
 * @throws {HttpException} 400, 401, 403 or 503: every error refuses the request, if the route is enforced
 * @internal
 */
export function authenticate(
  context: ExecutionContext,
  route: Route,
  root: InboundRoot,
): true | Promise<true> {
  const progress: Progress = { context, enforce: route.enforce };
  try {
    const result = authenticateOnce(progress, route, root);
    return result === true ? true : result.catch((error: unknown) => refuseChecked(root, progress, error));
  } catch (error) {
    return refuseChecked(root, progress, error);
  }
}

/** Malformed credentials are malformed whatever the verifier says about them, an outage included. */
function refuseChecked(root: InboundRoot, progress: Progress, error: unknown): true {
  try {
    if (progress.token !== undefined) checkBearerSyntax(progress.token);
  } catch (malformed) {
    return refuse(root, progress, malformed);
  }
  return refuse(root, progress, error);
}

function authenticateOnce(progress: Progress, route: Route, root: InboundRoot): true | Promise<true> {
  const { context } = progress;
  const request = requestOf(context);
  const last = lastAuthenticated(request);
  if (last?.isFor(context, root)) return true;
  if (!route.enforce && isRememberedUnenforced(context)) return true;
  const token = last?.token ?? readBearerToken(request, root.maxTokenBytes);
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
  // Startup has checked both. In a TokenReview, an empty list means the API server's own audiences.
  if (!root.verify || audiences.length === 0)
    throw new VerifierUnavailableError('route has no verifier or no audience');
  return root.verify(token, audiences, new RequestConnection(request));
}

function acceptVerdict(
  progress: Progress,
  token: string,
  { policy }: Route,
  root: InboundRoot,
  { principal }: Verdict,
): true {
  // A custom verifier may be written in JavaScript: without a username there is no caller to accept.
  if (typeof principal?.username !== 'string') throw new TypeError('verdict has no principal');
  const { context } = progress;
  progress.principal = principal;
  for (const rule of policy.kind === 'protected' ? policy.rules : []) assertAllowed(rule, principal);
  const request = requestOf(context);
  removeAuthorization(request);
  rememberAuthenticated(request, new AuthenticatedRequest(root, context, principal, token));
  if (root.events.hears('onVerified'))
    root.events.emit('onVerified', new AcceptedRequestEvent(context, principal));
  return true;
}

function isThenable(verdict: Verdict | PromiseLike<Verdict>): verdict is PromiseLike<Verdict> {
  return typeof (verdict as { then?: unknown } | undefined)?.then === 'function';
}

/** @throws {ForbiddenPrincipalError} unless the rule explicitly allows the principal */
function assertAllowed(rule: AuthorizationRule, principal: Principal): void {
  const outcome = decide(rule, principal);
  if (outcome.kind === 'allowed') return;
  throw new ForbiddenPrincipalError(
    loggable(`rule ${rule.name || 'without a name'} refused: ${outcome.reason}`),
  );
}
