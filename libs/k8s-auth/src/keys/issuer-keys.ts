import { ApiServerClient } from '../api-server/api-server.client.js';
import {
  type ApiServerConnection,
  type ApiServerContext,
  findApiServer,
  requireApiServer,
} from '../api-server/api-server.connection.js';
import { isApiServerOfPod } from '../api-server/in-cluster.js';
import { awaitBoth, ConfigurationError } from '../errors.js';
import { HttpsClient } from '../http/https-client.js';
import { readTls } from '../http/tls-source.js';
import { audiencesNamedBy } from '../jwt/jwt-claims.js';
import { describeError, type Log } from '../util/log.js';
import {
  ApiServerKeySource,
  ChosenKeySource,
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

/** The published keys of one or more issuers, and the connections that they are read over. */
export interface IssuerKeys {
  readonly keys: KeyProvider;
  /** What the API server itself accepts, as far as keys and own credential tell; `undefined` while neither does. */
  readonly apiServerAudiences: () => Promise<readonly string[] | undefined>;
  /** Stops fetching, and closes the connections. */
  readonly close: () => Promise<void>;
}

interface Parts {
  readonly options: IssuerKeysOptions;
  readonly context: ApiServerContext;
  /** Of the API server that is to be read, or that a configured issuer may turn out to be. */
  readonly client: ApiServerClient | undefined;
  /** For a URL that an option names. */
  readonly named: ReadDocument;
  readonly anonymous: ReadDocument;
}

/**
 * Finds out where keys are read from, and connects to nobody yet.
 * @throws {ConfigurationError} files or addresses that cannot be used
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
  // For that very origin, whatever path stands in front of the API server's own.
  const origin = isOwn
    ? new ApiServerClient({ ...connection, url: new URL(connection.url).origin }, context)
    : undefined;
  const anonymous = anonymousReader(https);
  const named = origin ? ownReader(origin, pathAndQuery) : anonymous;
  const keys = providerOf({ options, context, client, named, anonymous });
  return {
    keys,
    apiServerAudiences: () => findAudiences(keys, client),
    close: async () => {
      keys.stop();
      await Promise.all([https.close(), client?.close(), origin?.close()]);
    },
  };
}

/**
 * One key set counts for all issuers where the operator says so: with `jwksUri`, or with an API server. Issuers that are
 * read themselves have their keys apart.
 */
function providerOf({ options, context, client, named, anonymous }: Parts): KeyProvider {
  const issuers = options.issuer === undefined ? undefined : issuersOf(options.issuer);
  const { jwksUri, apiServer: asked } = options;
  const refreshed = (source: KeySource, log: Log = context.log) =>
    new RefreshedKeys(source, { ...context, log, policy: PUBLISHED_KEYS, issuers });
  if (jwksUri !== undefined) {
    return refreshed(
      new JwksUriKeySource(jwksUri, async () => issuers ?? (await ownIssuersOrFail(client)), named),
    );
  }
  const apiServer = client && new ApiServerKeySource({ client, ...(issuers && { issuers }) });
  if (apiServer && (!issuers || asked !== undefined)) return refreshed(apiServer);
  if (!issuers || (!client && !issuers.every(isReadableIssuer))) {
    throw new ConfigurationError([UNREADABLE_ISSUER]);
  }
  const groups = issuers.map((issuer): IssuerGroup => {
    const itself = new IssuerKeySource(issuer, anonymous);
    const source =
      client && apiServer ? new ChosenKeySource(issuers, client, { apiServer, issuer: itself }) : itself;
    return { issuer, keys: refreshed(source, naming(issuer, context.log)) };
  });
  return new KeysByIssuer(groups);
}

async function ownIssuersOrFail(client: ApiServerClient | undefined): Promise<readonly string[]> {
  const issuers = client && (await ownIssuers(client));
  if (issuers) return issuers;
  throw new KeySourceError("option 'issuer': expected, because the own credential names none");
}

/** A cluster's issuer is what its API server accepts as audience when nobody says otherwise. */
async function findAudiences(
  keys: KeyProvider,
  client: ApiServerClient | undefined,
): Promise<readonly string[] | undefined> {
  try {
    const claims = (await client?.ownClaims()) ?? {};
    const issuers = keys.knownIssuers();
    // A credential of a foreign issuer does not tell what this API server accepts.
    if (!issuers && clusterIssuerOf(claims) === undefined) return undefined;
    return [...new Set([...(issuers ?? []), ...audiencesNamedBy(claims)])];
  } catch {
    return undefined;
  }
}

/**
 * The API server that is to be read, or that the configured issuer may turn out to be. In the second case only what
 * the process runs in or was given counts (`KUBECONFIG`, the pod), not the home directory of its user, and one that
 * cannot be used is no failure.
 * @throws {ConfigurationError} there is none although it is to be read, or it cannot be used
 * @internal
 */
export async function findOwnApiServer(
  { apiServer, issuer }: IssuerKeysOptions,
  context: ApiServerContext,
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

/** The own token goes to the API server and to no other server, whoever names it. */
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

/** Each of several issuers has lines of its own. */
function naming(issuer: string, log: Log): Log {
  return {
    log: (event) => log.log({ ...event, issuer }),
    warn: (event) => log.warn({ ...event, issuer }),
    error: (event) => log.error({ ...event, issuer }),
  };
}
