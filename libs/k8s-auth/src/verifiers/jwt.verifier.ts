import { z } from 'zod';
import { InvalidTokenError } from '../errors.js';
import { createPrincipal } from '../identity/principal.js';
import { type Clock } from '../util/clock.js';
import { type JsonObject, parseCompactJws, type UnverifiedHeader } from '../jwt/compact-jws.js';
import { checkIssuer, checkTimes, type Instant, matchAudiences } from '../jwt/jwt-claims.js';
import { isKeyAlgorithm, type VerificationKey } from '../jwt/verification-key.js';
import {
  isLegacyLayout,
  LEGACY_ISSUER,
  readBoundClaims,
  readLegacyClaims,
} from '../jwt/service-account-claims.js';
import { verifySignature } from '../jwt/signature.js';
import { type KeyProvider } from '../keys/key-provider.js';
import { type Verdict } from './verifier.js';

/** Half of the tolerance of the API server, which is 60 s. */
export const DEFAULT_CLOCK_TOLERANCE_MS = 30_000;

const MAX_CLOCK_TOLERANCE_MS = 60_000;

/** @internal */
export const clockToleranceMsSchema = z.int().min(0).max(MAX_CLOCK_TOLERANCE_MS);

export interface JwtVerifierOptions {
  /** Becomes the principal's `verifiedBy`. */
  readonly kind: string;
  readonly clock: Clock;
  readonly clockToleranceMs: number;
  readonly acceptLegacyTokens?: boolean;
}

// A legacy token does not expire, but each verdict needs an end.
const LEGACY_VERDICT_LIFETIME_MS = 10_000;

/**
 * Verifies a token locally. All verifiers that check signatures themselves use this one sequence. It reads no files and
 * calls no servers: a {@link KeyProvider} supplies the keys.
 *
 * Order of checks: first format, `iss` and times, because a token can be rejected for them without fetching keys; then
 * the signature; then all other claims, which are read only after the signature is verified. A forged token is therefore
 * rejected as SIGNATURE, unless its issuer or its times are wrong too.
 * @internal
 */
export class JwtVerifier {
  constructor(
    private readonly keys: Pick<KeyProvider, 'issuers' | 'find'>,
    private readonly options: JwtVerifierOptions,
  ) {}

  /** @throws {InvalidTokenError} the token is rejected @throws {VerifierUnavailableError} could not decide */
  readonly verify = async (token: string, audiences: readonly string[]): Promise<Verdict> => {
    const jws = parseCompactJws(token);
    const claims = jws.unverifiedClaims;
    const isLegacy = this.options.acceptLegacyTokens && isLegacyLayout(claims);
    const issuer = checkIssuer(claims, isLegacy ? [LEGACY_ISSUER] : await this.keys.issuers());
    checkTimes(claims, this.now());
    await verifySignature(jws, await this.candidates(jws.unverifiedHeader, issuer));
    return isLegacy ? this.legacyVerdict(claims) : this.boundVerdict(claims, issuer, audiences);
  };

  /** For an algorithm that no key can have, such as `none` or HMAC, no keys are fetched. */
  private async candidates(header: UnverifiedHeader, issuer: string): Promise<readonly VerificationKey[]> {
    return isKeyAlgorithm(header.alg) ? this.keys.find(header, issuer) : [];
  }

  private boundVerdict(claims: JsonObject, issuer: string, required: readonly string[]): Verdict {
    // Checked again, because fetching keys may have taken time.
    const { expiresAtMs, issuedAtMs } = checkTimes(claims, this.now());
    if (expiresAtMs === undefined)
      throw new InvalidTokenError('MALFORMED', '"exp" claim: expected a time, got none');
    const audiences = matchAudiences(claims, required);
    const facts = { ...readBoundClaims(claims), audiences, issuer, issuedAtMs, expiresAtMs };
    const principal = createPrincipal({ ...facts, verifiedBy: this.options.kind });
    return { principal, validUntilMs: expiresAtMs };
  }

  private legacyVerdict(claims: JsonObject): Verdict {
    const now = this.now();
    const { expiresAtMs, issuedAtMs } = checkTimes(claims, now);
    const facts = { ...readLegacyClaims(claims), audiences: [], issuer: LEGACY_ISSUER };
    const principal = createPrincipal({
      ...facts,
      issuedAtMs,
      expiresAtMs,
      verifiedBy: this.options.kind,
    });
    const latestMs = now.nowMs + LEGACY_VERDICT_LIFETIME_MS;
    return { principal, validUntilMs: Math.min(latestMs, expiresAtMs ?? latestMs) };
  }

  private now(): Instant {
    return { nowMs: this.options.clock.wallMs(), clockToleranceMs: this.options.clockToleranceMs };
  }
}
