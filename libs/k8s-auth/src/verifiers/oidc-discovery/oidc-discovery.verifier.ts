import { audiencesNamedBy, type UnverifiedClaims } from '../../jwt/unverified-claims.js';
import { JwtVerification, type JwtVerificationOptions } from '../jwt.verifier.js';
import { type Readiness, type TokenVerifier, type Verdict } from '../token-verifier.js';
import { clusterIssuerOf } from '../../keys/api-server.key-source.js';
import { type KeysByIssuer } from '../../keys/keys-by-issuer.js';

/** What an {@link OidcDiscoveryVerifier} is made of. */
export interface OidcDiscoveryParts {
  readonly keys: KeysByIssuer;
  /** What the own API token says of itself; `undefined` when there is no such token. May throw. */
  readonly ownClaims: () => Promise<UnverifiedClaims | undefined>;
  readonly closeConnections: () => Promise<unknown>;
}

/**
 * Verifies with the keys that the issuer publishes: {@link JwtVerification} does the looking, {@link KeysByIssuer}
 * has the keys.
 * @internal
 */
export class OidcDiscoveryVerifier implements TokenVerifier {
  readonly kind: string;
  private readonly verification: JwtVerification;

  constructor(
    private readonly parts: OidcDiscoveryParts,
    options: JwtVerificationOptions,
  ) {
    this.kind = options.kind;
    this.verification = new JwtVerification(parts.keys, options);
  }

  verify(token: string, audiences: readonly string[]): Promise<Verdict> {
    return this.verification.verify(token, audiences);
  }

  hydrate(): void {
    this.parts.keys.start();
  }

  readiness(): Readiness {
    return this.parts.keys.readiness();
  }

  /** A cluster's issuer is what its API server accepts as audience when nobody says otherwise. */
  async apiServerAudiences(): Promise<readonly string[] | undefined> {
    const { keys, ownClaims } = this.parts;
    try {
      const claims = (await ownClaims()) ?? {};
      const issuers = keys.knownIssuers();
      // A credential of a foreign issuer does not tell what this API server accepts.
      if (!issuers && clusterIssuerOf(claims) === undefined) return undefined;
      return [...new Set([...(issuers ?? []), ...audiencesNamedBy(claims)])];
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.parts.keys.stop();
    await this.parts.closeConnections();
  }
}
