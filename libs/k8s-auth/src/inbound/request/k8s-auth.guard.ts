import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { UndecoratedRouteError, UnsupportedContextError } from '../../errors.js';
import { type InboundRoot, K8S_AUTH_INBOUND_ROOT } from '../inbound-root.js';
import { authenticate } from './authenticate.js';
import { refuse } from './refusal.js';

/**
 * Lets a request through to the controller, or not, as the route table says that startup compiled.
 *
 * `@K8sAuth` brings it. As `{ provide: APP_GUARD, useExisting: K8sAuthGuard }` it closes every route that has
 * neither `@K8sAuth` nor `@Public`. Without APP_GUARD these routes are open, and startup warns of them only if no route
 * has `@K8sAuth`. A request is verified once per handler, however often the guard is bound.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {UnsupportedContextError} the context is not HTTP
 * @publicApi
 */
@Injectable()
export class K8sAuthGuard implements CanActivate {
  constructor(@Inject(K8S_AUTH_INBOUND_ROOT) private readonly root: InboundRoot) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { root } = this;
    if (context.getType() !== 'http') {
      return refuse(root, { context }, new UnsupportedContextError('context is not http'));
    }
    const route = root.routes.find(context);
    if (typeof route === 'string') {
      return refuse(root, { context }, new UndecoratedRouteError('handler is not in the route table'));
    }
    // By the root that serves the route: this guard may be of the module that another one serves.
    if (route.policy.kind === 'protected') return authenticate(context, route, route.root ?? root);
    if (route.policy.kind === 'public') return true;
    return refuse(root, { context }, new UndecoratedRouteError('route has neither @K8sAuth nor @Public'));
  }

  /** Whether it works for the given `forRoot`. @internal */
  isOf(root: object): boolean {
    return this.root === root;
  }
}
