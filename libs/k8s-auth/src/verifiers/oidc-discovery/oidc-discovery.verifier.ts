import { audiencesNamedBy, type UnverifiedClaims } from '../../shared/unverified-claims.js';
import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type JwtTrust, JwtVerification, type JwtVerificationOptions } from '../jwt/jwt-verification.js';
import { type Readiness, type TokenVerifier, type Verdict } from '../token-verifier.js';
import { type RefreshedKeys } from './refreshed-keys.js';

/** What an {@link OidcDiscoveryVerifier} is made of. */
export interface OidcDiscoveryParts {
  readonly keys: RefreshedKeys;
  /** Omitted: those that come with the keys. */
  readonly issuers?: readonly string[];
  /** What the own API token says of itself; `undefined` when there is no such token. May throw. */
  readonly ownClaims: () => Promise<UnverifiedClaims | undefined>;
  readonly closeConnections: () => Promise<unknown>;
}

/**
 * Verifies with the keys that the issuer publishes: {@link JwtVerification} does the looking, {@link RefreshedKeys}
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
    const { keys, issuers } = parts;
    const trust: JwtTrust = {
      issuers: () => issuers ?? keys.issuers(),
      candidates: (header: UnverifiedHeader) => keys.candidates(header),
    };
    this.verification = new JwtVerification(trust, options);
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
    const { keys, issuers, ownClaims } = this.parts;
    try {
      const claims = await ownClaims();
      const fetched = keys.lastKnownIssuers();
      if (!issuers && !claims && !fetched) return undefined;
      return [...new Set([...(issuers ?? []), ...audiencesNamedBy(claims ?? {}), ...(fetched ?? [])])];
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.parts.keys.stop();
    await this.parts.closeConnections();
  }
}
