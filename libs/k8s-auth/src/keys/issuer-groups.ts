import { type ApiServerClient } from '../api-server/api-server.client.js';
import { ConfigurationError } from '../errors.js';
import { type Log } from '../util/log.js';
import { issuersOf } from '../verifiers/jwt.options.js';
import { type VerifierContext } from '../verifiers/verifier-definition.js';
import { ApiServerKeySource, ownIssuers } from './api-server.key-source.js';
import { ChosenKeySource } from './chosen.key-source.js';
import { IssuerKeySource, isReadableIssuer, UNREADABLE_ISSUER } from './issuer.key-source.js';
import { JwksUriKeySource } from './jwks-uri.key-source.js';
import { type KeySource, KeySourceTrouble, type ReadDocument } from './key-source.js';
import { type IssuerGroup } from './keys-by-issuer.js';
import { type OidcDiscoveryOptions } from '../verifiers/oidc-discovery/oidc-discovery.options.js';
import { RefreshedKeys } from './refreshed-keys.js';

/** What keys may be read with. */
export interface ReadingParts {
  /** Of the API server that is to be read, or that a configured issuer may turn out to be. */
  readonly client: ApiServerClient | undefined;
  /** For a URL that an option names. */
  readonly named: ReadDocument;
  readonly anonymous: ReadDocument;
  readonly context: VerifierContext;
}

/**
 * Where the keys of which issuer are read from; api.md, "Where oidc-discovery reads". One key set counts for all
 * issuers where the operator says so: with `jwksUri`, or with an API server. Issuers that are read themselves have
 * their keys apart.
 * @throws {ConfigurationError} an issuer that nobody can read
 * @internal
 */
export function groupIssuers(
  options: OidcDiscoveryOptions,
  { client, named, anonymous, context }: ReadingParts,
): readonly [IssuerGroup, ...IssuerGroup[]] {
  const issuers = options.issuer === undefined ? undefined : issuersOf(options.issuer);
  const { jwksUri, apiServer: asked } = options;
  const together = (source: KeySource): readonly [IssuerGroup] => [
    { ...(issuers && { issuers }), keys: new RefreshedKeys(source, context) },
  ];
  if (jwksUri !== undefined) {
    const issuersOfKeys = async () => issuers ?? (await issuersOfOwnToken(client));
    return together(new JwksUriKeySource(jwksUri, issuersOfKeys, named));
  }
  const apiServer = client && new ApiServerKeySource({ client, ...(issuers && { issuers }) });
  if (apiServer && (!issuers || asked !== undefined)) return together(apiServer);
  const [first, ...others] = (issuers ?? []).map((issuer) => {
    const itself = new IssuerKeySource(issuer, anonymous);
    const source =
      client && apiServer
        ? new ChosenKeySource(issuers ?? [], client, { apiServer, issuer: itself })
        : itself;
    return {
      issuers: [issuer],
      keys: new RefreshedKeys(source, { ...context, log: naming(issuer, context.log) }),
    };
  });
  if (!first || (!client && !issuers?.every(isReadableIssuer)))
    throw new ConfigurationError([UNREADABLE_ISSUER]);
  return [first, ...others];
}

async function issuersOfOwnToken(client: ApiServerClient | undefined): Promise<readonly string[]> {
  const issuers = client && (await ownIssuers(client));
  if (issuers) return issuers;
  throw new KeySourceTrouble("option 'issuer': expected, because the own credential names none");
}

/** Each of several issuers has lines of its own. */
function naming(issuer: string, log: Log): Log {
  return {
    log: (event) => log.log({ ...event, issuer }),
    warn: (event) => log.warn({ ...event, issuer }),
    error: (event) => log.error({ ...event, issuer }),
  };
}
