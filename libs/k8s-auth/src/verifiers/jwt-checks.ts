import { parseCompactJws } from '../jwt/compact-jws.js';
import { checkIssuer, checkTimes, matchAudiences } from '../jwt/jwt-claims.js';
import { readBoundClaims, readLegacyClaims, requireExpiry } from '../jwt/service-account-claims.js';
import { verifySignature } from '../jwt/signature.js';
import { type KeyProvider } from '../keys/key-provider.js';

/** The part of a {@link KeyProvider} that a verification uses. */
export type VerifierKeys = Pick<KeyProvider, 'issuers' | 'find' | 'trusts'>;

/**
 * The checks that a `JwtVerifier` makes, in the order of the calls. `nest-k8s-auth explain` passes functions that call
 * {@link jwtChecks} and report each result, so that it explains the sequence of the guard and not a copy of it.
 */
export interface JwtChecks {
  readonly parse: typeof parseCompactJws;
  readonly issuer: typeof checkIssuer;
  readonly times: typeof checkTimes;
  /** Called once, when the verifier is created: returns the keys that it uses. */
  readonly keys: (keys: VerifierKeys) => VerifierKeys;
  readonly signature: typeof verifySignature;
  readonly expiry: typeof requireExpiry;
  readonly audiences: typeof matchAudiences;
  readonly boundClaims: typeof readBoundClaims;
  readonly legacyClaims: typeof readLegacyClaims;
}

/** @internal */
export const jwtChecks: JwtChecks = {
  parse: parseCompactJws,
  issuer: checkIssuer,
  times: checkTimes,
  keys: (keys) => keys,
  signature: verifySignature,
  expiry: requireExpiry,
  audiences: matchAudiences,
  boundClaims: readBoundClaims,
  legacyClaims: readLegacyClaims,
};
