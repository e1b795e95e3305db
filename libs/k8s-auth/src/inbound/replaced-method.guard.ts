import { type ExecutionContext, Injectable } from '@nestjs/common';
import { K8sAuthGuard } from './k8s-auth.guard.js';
import { routePolicyOf } from './route-policy.js';

/**
 * Stands on classes whose methods have demands, for the routes on which Nest finds no other guard: those whose method
 * was replaced on the instance, see isReplaced. Lets everything else pass, to be looked at by the guards of the method.
 * The boot check cannot see instances that are made for one request, nor what happens to others after it.
 * @internal
 */
@Injectable()
export class ReplacedMethodGuard extends K8sAuthGuard {
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { kind } = routePolicyOf(context.getClass(), context.getHandler());
    return kind === 'replaced' ? super.canActivate(context) : true;
  }
}
