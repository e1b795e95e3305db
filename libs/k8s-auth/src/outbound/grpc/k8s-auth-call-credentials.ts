import { describeError } from '../../util/log.js';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { type GrpcMetadata, originOfService, UNAVAILABLE } from './grpc-call.js';

/** The module `@grpc/grpc-js`, in any version. @publicApi */
export interface GrpcModule<Credentials> {
  readonly Metadata: new () => unknown;
  readonly credentials: { createFromMetadataGenerator(generator: never): Credentials };
}

type Callback = (error: unknown, metadata?: GrpcMetadata) => void;

/**
 * Call credentials of `@grpc/grpc-js` that send this service's token for one destination:
 *
 * ```ts
 * credentials.combineChannelCredentials(
 *   credentials.createSsl(ca),
 *   createK8sAuthCallCredentials(tokenSource, 'https://orders.shop.svc:5000', grpc),
 * );
 * ```
 *
 * - Call credentials need TLS. `combineChannelCredentials` throws if the channel is insecure. Do not pass them as the option
 *   `credentials` of a single call on an insecure channel: gRPC sends them without encryption. Without TLS use
 *   {@link k8sAuthGrpcInterceptor}.
 * - gRPC tells call credentials only the host name, not the port. A call for another host name gets no token.
 * - gRPC does not tell them the status of a call, so there is no replay. {@link k8sAuthGrpcInterceptor} has one, also with
 *   TLS.
 * - They do not see the metadata of the call: if it has its own `authorization`, both are sent.
 *
 * A call without a usable token is not sent: it fails with the status UNAVAILABLE, and the details name the token file.
 * @param tokenSource a `K8sAuthTokenSource`, or an object with its `getToken`
 * @param origin a destination: `https://host:port`
 * @param grpc the module `@grpc/grpc-js` of the application
 * @throws {ConfigurationError} `origin` is not such an origin
 * @publicApi
 */
export function createK8sAuthCallCredentials<Credentials>(
  tokenSource: TokensByOrigin,
  origin: string,
  grpc: GrpcModule<Credentials>,
): Credentials {
  const destination = originOfService(origin, ['https']);
  const { hostname } = new URL(destination);
  const generate = ({ service_url: url }: { service_url: string }, callback: Callback) => {
    const metadata = new grpc.Metadata() as GrpcMetadata;
    if (new URL(url).hostname !== hostname) return callback(null, metadata);
    tokenSource.getToken(destination).then(
      (token) => {
        if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
        callback(null, metadata);
      },
      (error: unknown) => callback({ code: UNAVAILABLE, message: describeError(error) }),
    );
  };
  return grpc.credentials.createFromMetadataGenerator(generate as never);
}
