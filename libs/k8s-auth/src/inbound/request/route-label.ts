import { type ExecutionContext } from '@nestjs/common';
import { requestOf } from './bearer-token.js';

/** The properties where Express and Fastify store the pattern of the matched route. */
interface RoutedRequest {
  readonly method?: string;
  readonly route?: { readonly path?: unknown };
  readonly routeOptions?: { readonly url?: unknown };
}

/**
 * `GET /orders/:id`, or `OrdersController.find` if there is no single pattern. Never the URL of the request: the caller
 * chooses its path and query, and their length has no limit.
 * @internal
 */
export function describeRoute(context: ExecutionContext): string {
  if (context.getType() === 'http') {
    const request = requestOf(context) as RoutedRequest | undefined;
    const pattern = request?.routeOptions?.url ?? request?.route?.path;
    if (typeof pattern === 'string' && request?.method !== undefined) return `${request.method} ${pattern}`;
  }
  return handlerLabelOf(context);
}

/** `OrdersController.find` @internal */
export function handlerLabelOf(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}
