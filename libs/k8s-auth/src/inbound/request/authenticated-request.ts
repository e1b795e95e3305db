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

/** Records that a root has accepted a request for one handler, and who sent the request. */
export class AuthenticatedRequest {
  /** Private, so that no inspection of the object shows it. */
  readonly #token: string;

  readonly #routeClass: RouteClass;
  readonly #handler: RouteHandler;

  /** @param root the root that has accepted the request; `undefined` means any root, in tests of users only */
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

  /** Compares the original functions: instrumentation may make a new wrapper for each request. */
  isFor(context: ExecutionContext): boolean {
    return this.#handler === originalOf(context.getHandler()) && this.#routeClass === context.getClass();
  }

  /**
   * Kept because the header is removed: on Express, `next()` can call a second handler, and the token is verified again
   * for that handler.
   */
  get token(): string {
    return this.#token;
  }
}

// Stored beside the requests and not on them, so that nothing is overwritten, logged or serialised by accident. An entry
// lives as long as its request. One map for all guards, because Nest creates a guard for each module.
const authenticated = new WeakMap<object, AuthenticatedRequest>();

/** @internal */
export function rememberAuthenticated(request: unknown, authenticatedRequest: AuthenticatedRequest): void {
  const node = nodeRequestOf(request);
  if (node) authenticated.set(node, authenticatedRequest);
}

/** The last record of this request, for any handler. @internal */
export function lastAuthenticated(request: unknown): AuthenticatedRequest | undefined {
  const node = nodeRequestOf(request);
  return node && authenticated.get(node);
}

/**
 * The record of this request for the handler of `context`.
 * @param root the root that must have accepted the request; any root when omitted
 * @internal
 */
export function authenticatedFor(context: ExecutionContext, root?: object): AuthenticatedRequest | undefined {
  const last = lastAuthenticated(context.switchToHttp().getRequest<unknown>());
  return last?.isFor(context) && (root === undefined || last.root === undefined || last.root === root)
    ? last
    : undefined;
}

/** Request -> its public handler. `@Caller` parameters are `undefined` there. */
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
