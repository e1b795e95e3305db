import { type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../identity/principal.js';
import { nodeRequestOf } from './node-request.js';
import { type RouteClass, type RouteHandler } from './route-declaration.js';

/** That a request may reach a handler, and who sent it. */
export interface Admission {
  readonly routeClass: RouteClass;
  readonly handler: RouteHandler;
  readonly principal: Principal;
  /** The header is gone, but on Express `next()` can lead to a second handler, which decides anew. */
  readonly token: string;
}

// Beside the requests, not on them: nothing can be overwritten, logged or serialised by accident, and an entry ends
// with its request. One for all guards, because Nest makes a guard for each module.
const admissions = new WeakMap<object, Admission>();

/** @internal */
export function rememberAdmission(request: unknown, admission: Admission): void {
  const node = nodeRequestOf(request);
  if (node) admissions.set(node, admission);
}

/** The last one, whichever handler it was for. @internal */
export function lastAdmissionOf(request: unknown): Admission | undefined {
  const node = nodeRequestOf(request);
  return node && admissions.get(node);
}

/** The one for this very handler. @internal */
export function admissionOf(context: ExecutionContext): Admission | undefined {
  const admission = lastAdmissionOf(context.switchToHttp().getRequest<unknown>());
  return admission?.handler === context.getHandler() && admission.routeClass === context.getClass()
    ? admission
    : undefined;
}
