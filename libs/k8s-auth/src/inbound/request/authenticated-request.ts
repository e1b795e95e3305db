import { type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../../identity/principal.js';
import { AUTHENTICATES_IN_TESTS } from '../inbound.constants.js';
import { type RouteClass, type RouteHandler } from '../routes/controller-class.js';
import { originalOf } from '../routes/route-table.js';
import { nodeRequestOf } from './bearer-token.js';

/** @internal */
export function authenticatesInTests(guard: unknown): boolean {
  return typeof guard === 'object' && guard !== null && Object.hasOwn(guard, AUTHENTICATES_IN_TESTS);
}

/** That a root's verifier has accepted a request for one handler, and who sent it. */
export class AuthenticatedRequest {
  /** Private, so that no inspection of the object shows it. */
  readonly #token: string;

  readonly #routeClass: RouteClass;
  readonly #handler: RouteHandler;

  /** @param root whose verifier has accepted it; `undefined`, in tests of users: any root's */
  constructor(
    readonly root: object | undefined,
    context: ExecutionContext,
    readonly principal: Principal,
    token: string,
  ) {
    this.#routeClass = context.getClass();
    this.#handler = originalOf(context.getHandler());
    this.#token = token;
  }

  /** Instrumentation may wrap a function anew for each request; what it wraps is the same. */
  isFor(context: ExecutionContext): boolean {
    return this.#handler === originalOf(context.getHandler()) && this.#routeClass === context.getClass();
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
  return last?.isFor(context) && (root === undefined || last.root === undefined || last.root === root)
    ? last
    : undefined;
}

/** What a public route reaches, for parameters that are undefined there. */
const publicHandlers = new WeakMap<object, RouteHandler>();

/** @internal */
export function rememberPublic(context: ExecutionContext): void {
  const node = nodeRequestOf(context.switchToHttp().getRequest<unknown>());
  if (node) publicHandlers.set(node, context.getHandler());
}

/** @internal */
export function isRememberedPublic(context: ExecutionContext): boolean {
  const node = nodeRequestOf(context.switchToHttp().getRequest<unknown>());
  return node !== undefined && publicHandlers.get(node) === context.getHandler();
}
