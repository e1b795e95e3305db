import { type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../../identity/principal.js';
import { isUnenforcedMessage, rememberUnenforcedMessage } from '../transports/message-record.js';
import { isUnenforcedHttpRequest, rememberUnenforcedHttpRequest } from './authenticated-request.js';

/** A request or a message that passes, although it would be refused if its route were enforced. */
export interface UnenforcedRequest {
  readonly context: ExecutionContext;
  /** Present if only a rule would refuse the caller. `@Caller` returns it then, as on an enforced route. */
  readonly principal?: Principal;
  readonly token?: string;
}

/** @internal */
export function rememberUnenforced(root: object, request: UnenforcedRequest): void {
  if (request.context.getType() === 'http') rememberUnenforcedHttpRequest(root, request);
  else rememberUnenforcedMessage(root, request);
}

/** Whether the request in `context` passed only because its route is not enforced. @internal */
export function isRememberedUnenforced(context: ExecutionContext): boolean {
  return context.getType() === 'http' ? isUnenforcedHttpRequest(context) : isUnenforcedMessage(context);
}
