import { API_SERVER_JWKS_PATH } from './jwks.js';

/** A path below an issuer (OpenID Connect Discovery 1.0 §4.1: a terminating slash goes before the path is added). @internal */
export function belowIssuer(issuer: string, path: string): string {
  return issuer.replace(/\/$/, '') + path;
}

/**
 * Where the keys of an issuer are that is read directly. A `jwks_uri` at the issuer's own origin is read as named. One
 * at another origin is not: what answers for the issuer must not send us to others, and an API server names its own
 * address there, a node's usually. The keys are then read where an API server has them below the issuer, its path
 * included, because a host may serve several clusters. The same holds for an API server whose address happens to be
 * the issuer's host: the path in front of it is not known to it.
 * @internal
 */
export function locateJwks(
  issuer: string,
  jwksUri: string,
): { readonly url: string; readonly isAsNamed: boolean } {
  const { origin, pathname, search } = new URL(jwksUri);
  const isAsNamed = origin === new URL(issuer).origin && pathname !== API_SERVER_JWKS_PATH;
  return {
    url: isAsNamed ? origin + pathname + search : belowIssuer(issuer, API_SERVER_JWKS_PATH),
    isAsNamed,
  };
}
