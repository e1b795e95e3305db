import { type CanActivate, type ExecutionContext, Inject, Injectable, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { replacedHandlerError } from './replaced-handler.js';
import { toHttpException } from './refusal.js';
import { RefusalLog } from './refusal-log.js';
import { describeRoute } from './route-label.js';
import { routePolicyOf } from './route-policy.js';

/**
 * Stands on classes whose methods have demands, for the routes on which Nest finds no other guard: those whose method
 * was replaced on the instance, see isReplaced. Lets everything else pass, to be looked at by the guards of the method.
 * The boot check cannot see instances that are made for one request, nor what happens to others after it.
 *
 * Needs nothing of K8sAuthModule: a test that overrides K8sAuthGuard may do without the module, and knows only that one.
 * @internal
 */
@Injectable()
export class ReplacedMethodGuard implements CanActivate {
  constructor(
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Optional() @Inject(RefusalLog) private readonly refusals?: RefusalLog,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    if (routePolicyOf(context.getClass(), context.getHandler()).kind !== 'replaced') return true;
    const error = replacedHandlerError();
    this.refusals?.record({ error, route: describeRoute(context) });
    if (context.getType() !== 'http') throw error;
    throw toHttpException(error, this.adapterHost.httpAdapter, context.switchToHttp().getResponse());
  }
}
