import { ApiServerClient } from '../../api-server/api-server.client.js';
import { type ApiServerConnection } from '../../api-server/api-server.connection.js';
import { apiServerVariables } from '../../api-server/api-server.options.js';
import { ReloadingHttpsClient } from '../../api-server/reloading-https-client.js';
import { readTls } from '../../api-server/tls-source.js';
import { ConfigurationError } from '../../errors/index.js';
import { DEFAULT_CLOCK_TOLERANCE_MS, issuersOf } from '../jwt/jwt.options.js';
import { type VerifierContext, type VerifierDefinition } from '../verifier-definition.js';
import { ApiServerKeySource, ownReader } from './api-server.key-source.js';
import { ChosenKeySource } from './chosen.key-source.js';
import {
  anonymousReader,
  IssuerKeySource,
  isReadableIssuer,
  UNREADABLE_ISSUER,
} from './issuer.key-source.js';
import { JWKS_ACCEPT } from './jwks.js';
import { type Attempt, type KeySource, type ReadDocument } from './key-source.js';
import { type OidcDiscoveryOptions, oidcDiscoveryOptionsSchema } from './oidc-discovery.options.js';
import { OidcDiscoveryVerifier } from './oidc-discovery.verifier.js';
import { clientOfOrigin, findOwnApiServer } from './own-api-server.js';
import { RefreshedKeys } from './refreshed-keys.js';

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
  const { kind, caFile, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS } = options;
  const readCa = () => readTls(caFile === undefined ? {} : { ca: { name: "option 'caFile'", file: caFile } });
  const https = new ReloadingHttpsClient({ of: 'the issuer', tls: await readCa(), readTls: readCa }, context);
  const connection = await findOwnApiServer(options, context);
  const issuers = options.issuer === undefined ? undefined : issuersOf(options.issuer);
  const clients = connection && {
    api: new ApiServerClient(connection, context),
    origin: clientOfOrigin(connection, context),
  };
  const source = sourceOf(options, { issuers, connection, clients, anonymous: anonymousReader(https) });
  const closeConnections = () =>
    Promise.all([https, ...Object.values(clients ?? {})].map((one) => one.close()));
  return new OidcDiscoveryVerifier(
    {
      keys: new RefreshedKeys(source, context),
      ...(issuers && { issuers }),
      ownClaims: async () => clients?.api.ownClaims(),
      closeConnections,
    },
    { kind, clock: context.clock, clockToleranceMs, acceptLegacyTokens: false },
  );
}

interface SourceParts {
  readonly issuers: readonly string[] | undefined;
  readonly connection: ApiServerConnection | undefined;
  readonly clients: { readonly api: ApiServerClient; readonly origin: ApiServerClient } | undefined;
  readonly anonymous: ReadDocument;
}

/** Where keys are read from; api.md, "Where oidc-discovery reads". */
function sourceOf({ apiServer: asked, jwksUri }: OidcDiscoveryOptions, parts: SourceParts): KeySource {
  const { issuers, connection, clients, anonymous } = parts;
  const issuer =
    issuers && new IssuerKeySource({ issuers, ...(jwksUri !== undefined && { jwksUri }) }, anonymous);
  if (!connection || !clients) {
    if (!issuer || (jwksUri === undefined && !isReadableIssuer(issuers[0] ?? ''))) {
      throw new ConfigurationError([UNREADABLE_ISSUER]);
    }
    return issuer;
  }
  const readJwks =
    jwksUri === undefined ? undefined : jwksReader(jwksUri, connection, clients.origin, anonymous);
  const apiServer = new ApiServerKeySource({
    client: clients.api,
    ...(issuers && { issuers }),
    ...(readJwks && { readJwksElsewhere: readJwks }),
  });
  if (!issuer || asked !== undefined) return apiServer;
  return new ChosenKeySource(issuers, clients.api, { apiServer, issuer });
}

/** The own token goes along to the API server's origin and to no other, whoever names it. */
function jwksReader(
  jwksUri: string,
  connection: ApiServerConnection,
  client: ApiServerClient,
  anonymous: ReadDocument,
): (attempt: Attempt) => ReturnType<ReadDocument> {
  const { origin, pathname, search } = new URL(jwksUri);
  const isOwn = origin === new URL(connection.url).origin;
  const read = isOwn ? ownReader(client, () => pathname + search) : anonymous;
  return (attempt) => read(jwksUri, JWKS_ACCEPT, attempt);
}
