import { type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../../identity/principal.js';
import { type RouteClass, type RouteHandler } from '../routes/controller-class.js';
import { nodeRequestOf } from './node-request.js';

/** That a root's verifier has accepted a request for one handler, and who sent it. */
export class AuthenticatedRequest {
  /** Private, so that no inspection of the object shows it. */
  readonly #token: string;

  /** @param root whose verifier has accepted it; `undefined`, in tests of users: any root's */
  constructor(
    readonly root: object | undefined,
    readonly routeClass: RouteClass,
    readonly handler: RouteHandler,
    readonly principal: Principal,
    token: string,
  ) {
    this.#token = token;
  }

  /** The header is gone, but on Express `next()` can lead to a second handler, which decides anew. */
  get token(): string {
    return this.#token;
  }
}

// Beside the requests, not on them: nothing can be overwritten, logged or serialised by accident, and an entry ends
// with its request. One for all guards, because Nest makes a guard for each module.
const authenticated = new WeakMap<object, AuthenticatedRequest>();

/** @internal */
export function rememberAuthenticated(request: unknown, authenticatedRequest: AuthenticatedRequest): void {
  const node = nodeRequestOf(request);
  if (node) authenticated.set(node, authenticatedRequest);
}

/** The last one, whichever handler it was for. @internal */
export function lastAuthenticated(request: unknown): AuthenticatedRequest | undefined {
  const node = nodeRequestOf(request);
  return node && authenticated.get(node);
}

/**
 * The one for this very handler.
 * @param root whose verifier must have accepted it; any root's when omitted
 * @internal
 */
export function authenticatedFor(context: ExecutionContext, root?: object): AuthenticatedRequest | undefined {
  const last = lastAuthenticated(context.switchToHttp().getRequest<unknown>());
  return last?.handler === context.getHandler() &&
    last.routeClass === context.getClass() &&
    (root === undefined || last.root === undefined || last.root === root)
    ? last
    : undefined;
}
