import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { type GrpcCall, type GrpcCallOptions, originOfService } from './grpc-call.js';
import { TokenCall } from './token-call.js';

/** A client interceptor of `@grpc/grpc-js`. The return type fits the class of the package, which is not imported. @publicApi */
export type GrpcInterceptor = (options: object, nextCall: (options: never) => unknown) => never;

/**
 * A client interceptor for `@grpc/grpc-js` that sends this service's token for one destination, as the metadata
 * `authorization`. It works with and without TLS:
 *
 * ```ts
 * new OrdersClient('orders.shop.svc:5000', credentials.createInsecure(), {
 *   interceptors: [k8sAuthGrpcInterceptor(tokenSource, 'http://orders.shop.svc:5000')],
 * });
 * ```
 *
 * - The token is only added if the channel connects to the host and port of `origin`. So a proxy, which gRPC takes from
 *   the environment (`grpc_proxy`, `http_proxy`), gets no token.
 * - No token is added to a call with its own `authorization` metadata, or with a `host` that names another host.
 * - If the first answer is the status UNAUTHENTICATED, the token file is checked immediately. If it contains another token,
 *   the call is repeated once, unless the client streams its requests.
 * - No status or error shows the token.
 *
 * A call to a destination without a usable token is not sent: it fails with the status UNAVAILABLE, and the details name
 * the token file.
 * @param tokenSource a `K8sAuthTokenSource`, or an object with its `getToken`
 * @param origin a destination: `https://host:port` if the channel uses TLS, else `http://host:port`
 * @throws {ConfigurationError} `origin` is not such an origin
 * @publicApi
 */
export function k8sAuthGrpcInterceptor(tokenSource: TokensByOrigin, origin: string): GrpcInterceptor {
  const destination = originOfService(origin, ['http', 'https']);
  const intercept = (options: GrpcCallOptions, nextCall: (options: GrpcCallOptions) => GrpcCall) =>
    new TokenCall(options, nextCall, tokenSource, destination);
  return intercept as unknown as GrpcInterceptor;
}
