import { loggable } from '../../shared/log.js';
import { API_SERVER_JWKS_PATH } from './jwks.js';
import { KeySourceTrouble } from './key-source.js';

/**
 * Where the keys of an issuer are that is read directly. Its metadata may name a place of the issuer's own origin
 * only: what answers for the issuer must not send us to others. An API server names its own address there, a node's
 * usually, next to the issuer that users reach it by; it is known by its path, which is then read where the issuer is.
 * @throws {KeySourceTrouble} another origin; the user may still name it, with `jwksUri`
 * @internal
 */
export function locateJwks(issuer: string, jwksUri: string): string {
  const { origin } = new URL(issuer);
  const named = new URL(jwksUri);
  if (named.protocol === 'https:') {
    if (named.origin === origin) return named.href;
    if (named.pathname === API_SERVER_JWKS_PATH) return origin + API_SERVER_JWKS_PATH;
  }
  throw new KeySourceTrouble(
    `issuer metadata: expected "jwks_uri" on ${loggable(origin)}, got ${loggable(jwksUri)}; ` +
      "keys that are elsewhere take option 'jwksUri'",
  );
}
