import { type ExecutionContext } from '@nestjs/common';
import { type ConnectionPolicy } from '../transports/long-lived-connections.js';
import {
  hasUnenforcedCaller,
  isUnenforcedMessage,
  rememberUnenforcedMessage,
} from '../transports/message-record.js';
import {
  isUnenforcedHttpRequest,
  rememberUnenforcedHttpRequest,
  type UnenforcedRequest,
} from './authenticated-request.js';

/** @internal */
export function rememberUnenforced(root: ConnectionPolicy, request: UnenforcedRequest): void {
  if (request.context.getType() === 'http') rememberUnenforcedHttpRequest(root, request);
  else rememberUnenforcedMessage(root, request);
}

/** Whether the request in `context` passed only because its route is not enforced. @internal */
export function isRememberedUnenforced(context: ExecutionContext): boolean {
  return context.getType() === 'http' ? isUnenforcedHttpRequest(context) : isUnenforcedMessage(context);
}

/** The same for parameters and interceptors: whether the handler runs without a verified caller. @internal */
export function runsUnenforced(context: ExecutionContext): boolean {
  return context.getType() === 'http' ? isUnenforcedHttpRequest(context) : hasUnenforcedCaller(context);
}
