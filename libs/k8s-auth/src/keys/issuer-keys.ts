import { ApiServerClient } from '../api-server/api-server.client.js';
import {
  type ApiServerConnection,
  type ApiServerContext,
  findApiServer,
  requireApiServer,
} from '../api-server/api-server.connection.js';
import { awaitBoth } from '../api-server/await-both.js';
import { isApiServerOfPod } from '../api-server/in-cluster.js';
import { ConfigurationError } from '../errors.js';
import { HttpsClient } from '../http/https-client.js';
import { readTls } from '../http/tls-source.js';
import { audiencesNamedBy } from '../jwt/jwt-claims.js';
import { describeError, type Log } from '../util/log.js';
import {
  ApiServerKeySource,
  ApiServerOrIssuerKeySource,
  clusterIssuerOf,
  ownIssuers,
  ownReader,
} from './api-server.key-source.js';
import {
  anonymousReader,
  IssuerKeySource,
  JwksUriKeySource,
  UNREADABLE_ISSUER,
} from './issuer.key-source.js';
import { isReadableIssuer, type IssuerKeysOptions, issuersOf } from './issuer-keys.options.js';
import { type IssuerGroup, type KeyProvider, KeysByIssuer } from './key-provider.js';
import { type KeySource, KeySourceError, type ReadDocument } from './key-source.js';
import { PUBLISHED_KEYS, RefreshedKeys } from './refreshed-keys.js';

/** The published keys of one or more issuers, and the connections for reading them. */
export interface IssuerKeys {
  readonly keys: KeyProvider;
  /** The audiences that the API server itself accepts, from the keys and our own credential; `undefined` if unknown. */
  readonly apiServerAudiences: () => Promise<readonly string[] | undefined>;
  /** The accepted issuers, if they are known now, and the API server that was found, if any. Never rejects. */
  readonly summary: () => Promise<{ readonly issuers?: readonly string[]; readonly apiServer?: string }>;
  /** Stops fetching keys, and closes the connections. */
  readonly close: () => Promise<void>;
}

interface Parts {
  readonly options: IssuerKeysOptions;
  readonly context: ApiServerContext;
  /** The client of the API server that keys are read from, or that may be the configured issuer. */
  readonly client: ApiServerClient | undefined;
  /** Reads the URL in option `jwksUri`. */
  readonly readJwksUri: ReadDocument;
  readonly readAnonymously: ReadDocument;
}

/**
 * Determines where keys are read from. Sends no request yet.
 * @throws {ConfigurationError} a file or an address cannot be used
 * @internal
 */
export async function openIssuerKeys(
  options: IssuerKeysOptions,
  context: ApiServerContext,
): Promise<IssuerKeys> {
  const { caFile, jwksUri } = options;
  const tls = caFile === undefined ? {} : { ca: { place: { option: 'caFile' }, file: caFile } };
  const readCa = () => readTls(tls);
  const [ca, connection] = await awaitBoth(readCa(), findOwnApiServer(options, context));
  const https = new HttpsClient({ of: 'the issuer', caOption: 'caFile', tls: ca, readTls: readCa }, context);
  const client = connection && new ApiServerClient(connection, context);
  const isOwn = connection && jwksUri !== undefined && (await isSameServer(jwksUri, connection.url, context));
  // `jwksUri` contains the full path, so this client has no base path.
  const origin = isOwn
    ? new ApiServerClient({ ...connection, url: new URL(connection.url).origin }, context)
    : undefined;
  const readAnonymously = anonymousReader(https);
  const readJwksUri = origin ? ownReader(origin, pathAndQuery) : readAnonymously;
  const keys = providerOf({ options, context, client, readJwksUri, readAnonymously });
  return {
    keys,
    apiServerAudiences: () => findAudiences(keys, client),
    summary: async () => {
      const issuers = keys.knownIssuers() ?? (client && (await ownIssuers(client).catch(() => undefined)));
      return { ...(issuers && { issuers }), ...(connection && { apiServer: connection.url }) };
    },
    close: async () => {
      keys.stop();
      await Promise.all([https.close(), client?.close(), origin?.close()]);
    },
  };
}

/**
 * With `jwksUri` or an API server, one key set verifies tokens of all issuers. If keys are read from the issuers
 * themselves, each issuer has its own keys.
 */
function providerOf({ options, context, client, readJwksUri, readAnonymously }: Parts): KeyProvider {
  const issuers = options.issuer === undefined ? undefined : issuersOf(options.issuer);
  const { jwksUri, apiServer: configuredApiServer } = options;
  const refreshed = (source: KeySource, log: Log = context.log) =>
    new RefreshedKeys(source, { ...context, log, policy: PUBLISHED_KEYS, issuers });
  if (jwksUri !== undefined) {
    return refreshed(
      new JwksUriKeySource(jwksUri, async () => issuers ?? (await requireOwnIssuers(client)), readJwksUri),
    );
  }
  const apiServer = client && new ApiServerKeySource({ client, ...(issuers && { issuers }) });
  if (apiServer && (!issuers || configuredApiServer !== undefined)) return refreshed(apiServer);
  if (!issuers || (!client && !issuers.every(isReadableIssuer))) {
    throw new ConfigurationError([UNREADABLE_ISSUER]);
  }
  const groups = issuers.map((issuer): IssuerGroup => {
    const issuerSource = new IssuerKeySource(issuer, readAnonymously);
    const source =
      client && apiServer
        ? new ApiServerOrIssuerKeySource(issuers, client, { apiServer, issuer: issuerSource })
        : issuerSource;
    return { issuer, keys: refreshed(source, logWithIssuer(issuer, context.log)) };
  });
  return new KeysByIssuer(groups);
}

async function requireOwnIssuers(client: ApiServerClient | undefined): Promise<readonly string[]> {
  const issuers = client && (await ownIssuers(client));
  if (issuers) return issuers;
  throw new KeySourceError("option 'issuer': is required, because our own credential names no issuer");
}

/** By default, an API server accepts the cluster's issuer as audience. */
async function findAudiences(
  keys: KeyProvider,
  client: ApiServerClient | undefined,
): Promise<readonly string[] | undefined> {
  try {
    const claims = (await client?.ownClaims()) ?? {};
    const issuers = keys.knownIssuers();
    // The audiences of a credential of a foreign issuer are not those that this API server accepts.
    if (!issuers && clusterIssuerOf(claims) === undefined) return undefined;
    return [...new Set([...(issuers ?? []), ...audiencesNamedBy(claims)])];
  } catch {
    return undefined;
  }
}

/**
 * Finds the API server to read keys from, or one that may be the configured issuer. In the second case only
 * `KUBECONFIG` and the pod are searched, not the home directory, and an API server that cannot be used is only logged.
 * @throws {ConfigurationError} keys must be read from an API server, and none is found or it cannot be used
 * @internal
 */
export async function findOwnApiServer(
  { apiServer, issuer }: IssuerKeysOptions,
  context: ApiServerContext,
): Promise<ApiServerConnection | undefined> {
  if (apiServer !== undefined || issuer === undefined) return requireApiServer(apiServer, context);
  try {
    const environment = { ...context.environment, HOME: undefined, USERPROFILE: undefined };
    return await findApiServer(undefined, { ...context, environment });
  } catch (error) {
    context.log.warn({
      message: `API server cannot be used, keys are read from the issuer: ${describeError(error)}`,
    });
    return undefined;
  }
}

/** Whether `jwksUri` is on the API server. Our own token is sent only to the API server. */
async function isSameServer(
  jwksUri: string,
  url: string,
  { environment }: ApiServerContext,
): Promise<boolean> {
  if (new URL(jwksUri).origin === new URL(url).origin) return true;
  const isOfPod = (one: string) => isApiServerOfPod(one, environment, '/');
  return (await isOfPod(jwksUri)) && (await isOfPod(url));
}

function pathAndQuery(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** A log that adds the issuer to each line, to tell several issuers apart. */
function logWithIssuer(issuer: string, log: Log): Log {
  return {
    log: (event) => log.log({ ...event, issuer }),
    warn: (event) => log.warn({ ...event, issuer }),
    error: (event) => log.error({ ...event, issuer }),
  };
}
