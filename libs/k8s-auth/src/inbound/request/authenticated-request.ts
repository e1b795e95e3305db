import { type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../../identity/principal.js';
import { AUTHENTICATES_IN_TESTS } from '../inbound.constants.js';
import { type RouteClass, type RouteHandler } from '../routes/controller-class.js';
import { originalOf } from '../routes/route-table.js';
import { nodeRequestOf, removeAuthorization, requestOf } from './bearer-token.js';

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
    this.#handler = context.getHandler();
    this.#token = token;
  }

  /**
   * Whether this is the record for the handler of `context`.
   * @param root the root that must have accepted the request; any root when omitted
   */
  isFor(context: ExecutionContext, root?: object): boolean {
    return (
      this.#routeClass === context.getClass() &&
      isSameHandler(this.#handler, context.getHandler()) &&
      (root === undefined || this.root === undefined || this.root === root)
    );
  }

  /**
   * Kept because the header is removed: on Express, `next()` can call a second handler, and the token is verified again
   * for that handler.
   */
  get token(): string {
    return this.#token;
  }
}

/** Compares the original functions: instrumentation may make a new wrapper for each request. */
function isSameHandler(one: RouteHandler, other: RouteHandler): boolean {
  return one === other || originalOf(one) === originalOf(other);
}

/** Its constructor returns the given object, to which a subclass then adds its private fields. */
class ExistingObject {
  constructor(object: object) {
    return object;
  }
}

/**
 * What the guards have found out about a request, in private fields of the request object of Node. No other code can read
 * or overwrite them, and no log or serializer shows them. One class for all guards, because Nest creates a guard for each
 * module. A WeakMap would protect them as well, but adding an entry for each request costs more than the rest of the guard.
 * Reading adds the fields too, so that accepted and refused requests have the same hidden class (docs/adr/0015).
 */
class RequestRecord extends ExistingObject {
  #authenticated: AuthenticatedRequest | undefined;
  /** `@Caller` parameters are `undefined` there. */
  #publicHandler: RouteHandler | undefined;
  /** The handler whose route would have refused the request, but is not enforced. */
  #unenforcedHandler: RouteHandler | undefined;

  static authenticated(request: unknown): AuthenticatedRequest | undefined {
    const record = this.of(request);
    return record ? record.#authenticated : undefined;
  }

  static setAuthenticated(request: unknown, authenticated: AuthenticatedRequest): void {
    const record = this.of(request);
    if (record) record.#authenticated = authenticated;
  }

  static publicHandler(request: unknown): RouteHandler | undefined {
    const record = this.of(request);
    return record ? record.#publicHandler : undefined;
  }

  static setPublicHandler(request: unknown, handler: RouteHandler): void {
    const record = this.of(request);
    if (record) record.#publicHandler = handler;
  }

  static unenforcedHandler(request: unknown): RouteHandler | undefined {
    const record = this.of(request);
    return record ? record.#unenforcedHandler : undefined;
  }

  static setUnenforcedHandler(request: unknown, handler: RouteHandler): void {
    const record = this.of(request);
    if (record) record.#unenforcedHandler = handler;
  }

  /** @returns `undefined` if `request` is not an HTTP request */
  private static of(request: unknown): RequestRecord | undefined {
    const node = nodeRequestOf(request);
    return node && (#authenticated in node ? node : new RequestRecord(node));
  }
}

/** @internal */
export function rememberAuthenticated(request: unknown, authenticatedRequest: AuthenticatedRequest): void {
  RequestRecord.setAuthenticated(request, authenticatedRequest);
}

/** The last record of this request, for any handler. @internal */
export function lastAuthenticated(request: unknown): AuthenticatedRequest | undefined {
  return RequestRecord.authenticated(request);
}

/** The record of this request for the handler of `context`. @internal */
export function authenticatedFor(context: ExecutionContext): AuthenticatedRequest | undefined {
  const last = lastAuthenticated(context.switchToHttp().getRequest<unknown>());
  return last?.isFor(context) ? last : undefined;
}

/** @internal */
export function rememberPublic(context: ExecutionContext): void {
  RequestRecord.setPublicHandler(requestOf(context), context.getHandler());
}

/** @internal */
export function isRememberedPublic(context: ExecutionContext): boolean {
  const handler = RequestRecord.publicHandler(context.switchToHttp().getRequest<unknown>());
  return handler !== undefined && handler === context.getHandler();
}

/** A request or a message that passes, although it would be refused if its route were enforced. */
export interface UnenforcedRequest {
  readonly context: ExecutionContext;
  /** Present if only a rule would refuse the caller. `@Caller` returns it then, as on an enforced route. */
  readonly principal?: Principal;
  readonly token?: string;
}

/** @internal */
export function rememberUnenforcedHttpRequest(
  root: object,
  { context, principal, token }: UnenforcedRequest,
): void {
  const request = requestOf(context);
  RequestRecord.setUnenforcedHandler(request, context.getHandler());
  if (!principal || token === undefined) return;
  removeAuthorization(request);
  RequestRecord.setAuthenticated(request, new AuthenticatedRequest(root, context, principal, token));
}

/** @internal */
export function isUnenforcedHttpRequest(context: ExecutionContext): boolean {
  const handler = RequestRecord.unenforcedHandler(requestOf(context));
  return handler !== undefined && isSameHandler(handler, context.getHandler());
}
