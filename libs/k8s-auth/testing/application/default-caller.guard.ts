import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../../src/identity/principal.js';
import { SUPPLIES_TEST_CALLERS } from '../../src/inbound/inbound.constants.js';
import {
  AuthenticatedRequest,
  lastAuthenticated,
  rememberAuthenticated,
} from '../../src/inbound/request/authenticated-request.js';
import { nodeRequestOf, requestOf } from '../../src/inbound/request/bearer-token.js';
import { findTransport } from '../../src/inbound/transports/index.js';
import { tokenOfConnection } from '../../src/inbound/transports/long-lived-connections.js';
import { recordOf } from '../../src/inbound/transports/message-record.js';
import { createTestToken } from './test-callers.js';

/** Stands for a handler that has authenticated the request before. No route has this class and function. */
class EarlierHandler {
  static handle(this: void): void {}
}
const EARLIER_HANDLER = {
  getClass: () => EarlierHandler,
  getHandler: () => EarlierHandler.handle,
} as unknown as ExecutionContext;

/**
 * Gives every request or message without an `Authorization` header the token of one caller. It changes no header. It stores the
 * token where the guard looks for the token that an earlier handler of the same request has verified, and the guard
 * verifies that token again for its own route. Must run before all guards of the library.
 * @internal
 */
export class DefaultCallerGuard implements CanActivate {
  /** Nest runs no guard for a connection of a gateway. The library runs this one. */
  readonly [SUPPLIES_TEST_CALLERS] = true;
  readonly #record: AuthenticatedRequest;

  constructor(principal: Principal) {
    const token = createTestToken({ principal });
    this.#record = new AuthenticatedRequest(undefined, EARLIER_HANDLER, principal, token);
  }

  canActivate(context: ExecutionContext): true {
    if (context.getType() !== 'http') return this.giveToMessage(context);
    const request = requestOf(context);
    const isAnonymous = nodeRequestOf(request)?.headers['authorization'] === undefined;
    // A record of an accepted handler must stay: its caller may be another one, whose header has been removed.
    if (isAnonymous && !lastAuthenticated(request)) rememberAuthenticated(request, this.#record);
    return true;
  }

  /** A message without credentials, whose connection has no accepted token, gets the token of the default caller. */
  private giveToMessage(context: ExecutionContext): true {
    const transport = findTransport(context);
    const message = transport?.messageOf(context);
    const connection = transport?.longLivedOf?.(context);
    const isAnonymous =
      transport?.credentialsOf(context).length === 0 && !(connection && tokenOfConnection(connection));
    if (message && isAnonymous && recordOf(message).token === undefined)
      recordOf(message).keepToken(this.#record.token);
    return true;
  }
}
