import { ApiServerClient } from '../../api-server/api-server.client.js';
import { apiServerVariables } from '../../api-server/api-server.options.js';
import { isApiServerOfPod } from '../../api-server/in-cluster.js';
import { ReloadingHttpsClient } from '../../http/reloading-https-client.js';
import { readTls } from '../../http/tls-source.js';
import { DEFAULT_CLOCK_TOLERANCE_MS } from '../jwt.options.js';
import { type VerifierContext, type VerifierDefinition } from '../verifier-definition.js';
import { ownReader } from '../../keys/api-server.key-source.js';
import { groupIssuers } from '../../keys/issuer-groups.js';
import { anonymousReader } from '../../keys/issuer.key-source.js';
import { KeysByIssuer } from '../../keys/keys-by-issuer.js';
import { type OidcDiscoveryOptions, oidcDiscoveryOptionsSchema } from './oidc-discovery.options.js';
import { OidcDiscoveryVerifier } from './oidc-discovery.verifier.js';
import { clientOfOrigin, findOwnApiServer } from '../../keys/own-api-server.js';

/** Signatures, checked here with the keys that the issuer publishes. @internal */
export const oidcDiscoveryDefinition: VerifierDefinition<OidcDiscoveryOptions> = {
  kind: 'oidc-discovery',
  schema: oidcDiscoveryOptionsSchema,
  variables: [
    { option: 'issuer', variable: 'K8S_AUTH_ISSUER', type: 'list' },
    { option: 'jwksUri', variable: 'K8S_AUTH_JWKS_URI', type: 'text' },
    { option: 'caFile', variable: 'K8S_AUTH_CA_FILE', type: 'text' },
    { option: 'clockToleranceMs', variable: 'K8S_AUTH_CLOCK_TOLERANCE_MS', type: 'integer' },
    ...apiServerVariables,
  ],
  create,
};

async function create(options: OidcDiscoveryOptions, context: VerifierContext) {
  const { kind, caFile, jwksUri, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS } = options;
  const readCa = () => readTls(caFile === undefined ? {} : { ca: { name: "option 'caFile'", file: caFile } });
  const https = new ReloadingHttpsClient({ of: 'the issuer', tls: await readCa(), readTls: readCa }, context);
  const anonymous = anonymousReader(https);
  const connection = await findOwnApiServer(options, context);
  const client = connection && new ApiServerClient(connection, context);
  const origin =
    connection && jwksUri !== undefined && (await isSameServer(jwksUri, connection.url, context))
      ? clientOfOrigin(connection, context)
      : undefined;
  const groups = groupIssuers(options, {
    client,
    named: origin ? ownReader(origin, pathAndQuery) : anonymous,
    anonymous,
    context,
  });
  return new OidcDiscoveryVerifier(
    {
      keys: new KeysByIssuer(groups),
      ownClaims: async () => client?.ownClaims(),
      closeConnections: () => Promise.all([https.close(), client?.close(), origin?.close()]),
    },
    { kind, clock: context.clock, clockToleranceMs, acceptLegacyTokens: false },
  );
}

/** The own token goes along to the API server and to no other server, whoever names it. */
async function isSameServer(
  jwksUri: string,
  url: string,
  { environment }: VerifierContext,
): Promise<boolean> {
  if (new URL(jwksUri).origin === new URL(url).origin) return true;
  const isOfPod = (one: string) => isApiServerOfPod(one, environment, '/');
  return (await isOfPod(jwksUri)) && (await isOfPod(url));
}

function pathAndQuery(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
