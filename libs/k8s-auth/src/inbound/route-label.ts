import { type ExecutionContext } from '@nestjs/common';
import { routeNameOf } from './route-policy.js';

/** Where Express and Fastify keep the pattern of the route that matched. */
interface RoutedRequest {
  readonly method?: string;
  readonly route?: { readonly path?: unknown };
  readonly routeOptions?: { readonly url?: unknown };
}

/**
 * `GET /orders/:id`, or `OrdersController.find` where there is no one pattern. Never the URL that was asked for: its
 * path and query are the caller's words, and there is no end of them.
 * @internal
 */
export function describeRoute(context: ExecutionContext): string {
  if (context.getType() === 'http') {
    const request = context.switchToHttp().getRequest<RoutedRequest | undefined>();
    const pattern = request?.routeOptions?.url ?? request?.route?.path;
    if (typeof pattern === 'string' && request?.method !== undefined) return `${request.method} ${pattern}`;
  }
  return routeNameOf(context.getClass(), context.getHandler());
}
