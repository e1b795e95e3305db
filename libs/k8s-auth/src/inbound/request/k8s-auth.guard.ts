import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { UndecoratedRouteError, UnsupportedContextError } from '../../errors.js';
import { type Verdict } from '../../verifiers/verifier.js';
import { K8S_AUTH_INBOUND_ROOT } from '../inbound.constants.js';
import { type InboundRoot, type Route, type RouteMatch } from '../routes/route.js';
import { decideMessage } from '../transports/authenticate-message.js';
import { findTransport } from '../transports/index.js';
import { AcceptedRequestEvent } from './accepted-request.event.js';
import { AuthenticatedRequest, lastAuthenticated, rememberAuthenticated } from './authenticated-request.js';
import {
  checkPrincipal,
  isThenable,
  type Progress,
  refuseChecked,
  verifyFor,
} from './authentication-steps.js';
import { readBearerToken, removeAuthorization, RequestConnection, requestOf } from './bearer-token.js';
import { refuse } from './refusal.js';
import { isRememberedUnenforced } from './unenforced-request.js';

/**
 * Accepts or refuses a request, as the route table requires. Startup has compiled that table from the decorators.
 *
 * `@K8sAuth` adds this guard to its routes. As `{ provide: APP_GUARD, useExisting: K8sAuthGuard }` it also refuses every
 * request for a route that has neither `@K8sAuth` nor `@Public`. Without APP_GUARD these routes are open, and startup
 * warns about them only if no route has `@K8sAuth`. A request is verified once per handler, even if several guards run.
 *
 * It also guards resolvers of GraphQL, gateways, and message handlers of gRPC, TCP, NATS and Redis: see docs/transports.md.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {WsException} or `RpcException`, with the same cause, for messages
 * @throws {UnsupportedContextError} the handler is of another transport, and is not `@Public`
 * @publicApi
 */
@Injectable()
export class K8sAuthGuard implements CanActivate {
  constructor(@Inject(K8S_AUTH_INBOUND_ROOT) private readonly root: InboundRoot) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { root } = this;
    const route = root.routes.find(context);
    if (context.getType() !== 'http') return this.decideMessage(context, route);
    if (typeof route === 'string') {
      return refuse(root, { context }, new UndecoratedRouteError('handler is not in the route table'));
    }
    // The root of the route decides: this guard may belong to a module with another root.
    if (route.policy.kind === 'protected') return authenticate(context, route, route.root ?? root);
    if (route.policy.kind === 'public') return true;
    const refused = { context, enforce: route.enforce };
    return refuse(root, refused, new UndecoratedRouteError('route has neither @K8sAuth nor @Public'));
  }

  private decideMessage(context: ExecutionContext, route: RouteMatch): boolean | Promise<boolean> {
    const { root } = this;
    const transport = findTransport(context);
    if (typeof route !== 'string' && transport)
      return decideMessage({ context, transport, route, root: route.root ?? root }, true);
    // A public handler needs no token.
    if (typeof route !== 'string' && route.policy.kind === 'public') return true;
    if (transport?.isBelowDecided?.(context) && route === 'unknown') return true;
    const error = transport
      ? new UndecoratedRouteError('handler is not in the route table')
      : new UnsupportedContextError('context is not http');
    return refuse(root, { context }, error);
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

function authenticateOnce(progress: Progress, route: Route, root: InboundRoot): true | Promise<true> {
  const { context } = progress;
  const request = requestOf(context);
  const last = lastAuthenticated(request);
  if (last?.isFor(context, root)) return true;
  if (!route.enforce && isRememberedUnenforced(context)) return true;
  const token = last?.token ?? readBearerToken(request, root.maxTokenBytes);
  progress.token = token;
  const verdict = verifyFor(token, route, root, new RequestConnection(request));
  if (!isThenable(verdict)) return acceptVerdict(progress, token, route, root, verdict);
  return Promise.resolve(verdict).then((settled) => acceptVerdict(progress, token, route, root, settled));
}

function acceptVerdict(
  progress: Progress,
  token: string,
  { policy }: Route,
  root: InboundRoot,
  { principal }: Verdict,
): true {
  checkPrincipal(progress, policy, principal);
  const { context } = progress;
  const request = requestOf(context);
  removeAuthorization(request);
  rememberAuthenticated(request, new AuthenticatedRequest(root, context, principal, token));
  if (root.events.hears('onVerified'))
    root.events.emit('onVerified', new AcceptedRequestEvent(context, principal));
  return true;
}
