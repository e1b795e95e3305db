import { createHash } from 'node:crypto';
import { type Clock } from '../../src/util/clock.js';
import { assertCommonClaims, assertKubernetesClaim } from './claim-types.js';
import { type ClusterState } from './cluster-state.js';
import { hasUsualSigningInput, isReadableHeader } from './jws-header.js';
import { type JsonObject, hasSignatureOf, parseCompact, type UnverifiedJws } from './jws.js';
import { type Caller, serviceAccountCaller } from './caller.js';
import { type SigningKeys } from './signing-keys.js';
import { assertTimesHold, validateBoundClaims, validateLegacyClaims } from './token-claims.js';

export type TokenVerdict =
  | { readonly authenticated: true; readonly user: Caller; readonly audiences: readonly string[] }
  | { readonly authenticated: false; readonly error: string };

export interface TokenAuthenticatorParts {
  readonly clock: Clock;
  readonly state: ClusterState;
  readonly keys: SigningKeys;
  readonly issuer: string;
  readonly apiAudiences: readonly string[];
  /** How long an accepted token stays accepted without a new check; 10 s on a real API server. */
  readonly acceptedTokenCacheMs: number;
}

const LEGACY_ISSUER = 'kubernetes/serviceaccount';

/** Verifies ServiceAccount tokens by the API server's rules and in the same order (pkg/serviceaccount/jwt.go). */
export class TokenAuthenticator {
  private readonly accepted = new Map<string, { verdict: TokenVerdict; untilMs: number }>();

  constructor(private readonly parts: TokenAuthenticatorParts) {}

  authenticate(token: string, audiences = this.parts.apiAudiences): TokenVerdict {
    const nowMs = this.parts.clock.monotonicMs();
    const key = createHash('sha256')
      .update(JSON.stringify([token, audiences]))
      .digest('base64');
    const cached = this.accepted.get(key);
    if (cached && nowMs < cached.untilMs) return cached.verdict;
    this.accepted.delete(key);
    const verdict = this.judge(token, audiences);
    if (verdict.authenticated && this.parts.acceptedTokenCacheMs > 0) {
      this.accepted.set(key, { verdict, untilMs: nowMs + this.parts.acceptedTokenCacheMs });
    }
    return verdict;
  }

  private judge(token: string, requested: readonly string[]): TokenVerdict {
    const jws = parseCompact(token);
    const issuer = jws?.claims.iss;
    // No authenticator handles another issuer, or a text that is not a token. The message then has no second part.
    if (!jws || !isReadableHeader(jws.header) || (issuer !== this.parts.issuer && issuer !== LEGACY_ISSUER)) {
      return { authenticated: false, error: 'invalid bearer token' };
    }
    try {
      this.assertSignature(jws);
      assertCommonClaims(jws.claims);
      if (issuer !== LEGACY_ISSUER) assertKubernetesClaim(jws.claims['kubernetes.io']);
      const audiences = this.matchingAudiences(jws.claims, requested);
      const { state, clock } = this.parts;
      if (issuer === LEGACY_ISSUER) {
        const account = validateLegacyClaims(jws.claims, state);
        return { authenticated: true, user: serviceAccountCaller(account), audiences };
      }
      assertTimesHold(jws.claims, clock.wallMs());
      const account = validateBoundClaims(jws.claims, state);
      return { authenticated: true, user: serviceAccountCaller(account), audiences };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { authenticated: false, error: `[invalid bearer token, ${error.message}]` };
    }
  }

  private assertSignature(jws: UnverifiedJws): void {
    const candidates = this.parts.keys.candidates(jws.header.kid);
    if (candidates.length === 0) throw new Error('invalid signature, no keys found');
    const isSigned =
      hasUsualSigningInput(jws.header) &&
      candidates.some(({ alg, publicKey }) => hasSignatureOf(jws, alg, publicKey));
    if (!isSigned) {
      throw new Error('go-jose/go-jose: error in cryptographic primitive');
    }
  }

  /** A token without `aud` counts as issued for the API server. */
  private matchingAudiences({ aud }: JsonObject, requested: readonly string[]): readonly string[] {
    const listed = [aud ?? []].flat().map(String);
    const own = listed.length > 0 ? listed : this.parts.apiAudiences;
    const matching = own.filter((audience) => requested.includes(audience));
    if (matching.length === 0) {
      throw new Error(
        `token audiences ${quoteAll(own)} is invalid for the target audiences ${quoteAll(requested)}`,
      );
    }
    return matching;
  }
}

/** As Go's %q writes a list. */
function quoteAll(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}
