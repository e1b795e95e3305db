import { type ExecutionContext } from '@nestjs/common';

/** Where Express and Fastify keep the pattern of the route that matched. */
interface RoutedRequest {
  readonly method?: string;
  readonly route?: { readonly path?: unknown };
  readonly routeOptions?: { readonly url?: unknown };
}

/**
 * `GET /orders/:id`, or `OrdersController.find` where there is no single pattern. Never the URL of the request: its path
 * and query are chosen by the caller, and unbounded.
 * @internal
 */
export function describeRoute(context: ExecutionContext): string {
  if (context.getType() === 'http') {
    const request = context.switchToHttp().getRequest<RoutedRequest | undefined>();
    const pattern = request?.routeOptions?.url ?? request?.route?.path;
    if (typeof pattern === 'string' && request?.method !== undefined) return `${request.method} ${pattern}`;
  }
  return handlerLabelOf(context);
}

/** `OrdersController.find` @internal */
export function handlerLabelOf(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}
