import { ApiServerClient } from '../api-server/api-server.client.js';
import {
  type ApiServerConnection,
  findApiServer,
  requireApiServer,
} from '../api-server/api-server.connection.js';
import { describeError } from '../util/log.js';
import { type VerifierContext } from '../verifiers/verifier-definition.js';
import { type OidcDiscoveryOptions } from '../verifiers/oidc-discovery/oidc-discovery.options.js';

/**
 * The API server that is to be read, or that the configured issuer may turn out to be. In the second case only what
 * the process runs in or was given counts (`KUBECONFIG`, the pod), not the home directory of whoever started it, and
 * one that cannot be used stops nothing.
 * @throws {ConfigurationError} there is none although it is to be read, or it cannot be used
 * @internal
 */
export async function findOwnApiServer(
  { apiServer, issuer }: OidcDiscoveryOptions,
  context: VerifierContext,
): Promise<ApiServerConnection | undefined> {
  if (apiServer !== undefined || issuer === undefined) return requireApiServer(apiServer, context);
  try {
    const environment = { ...context.environment, HOME: undefined };
    return await findApiServer(undefined, { ...context, environment });
  } catch (error) {
    context.log.warn({ message: `issuer is read without the API server: ${describeError(error)}` });
    return undefined;
  }
}

/** A client for that very origin, whatever path stands in front of the API server's own. @internal */
export function clientOfOrigin(connection: ApiServerConnection, context: VerifierContext): ApiServerClient {
  return new ApiServerClient({ ...connection, url: new URL(connection.url).origin }, context);
}
