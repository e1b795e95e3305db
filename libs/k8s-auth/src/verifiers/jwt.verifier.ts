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

/** Half of what the API server itself allows, which is a minute. */
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

// A legacy token has no end of its own; a verdict about it has to have one.
const LEGACY_VERDICT_MS = 10_000;

/**
 * Token in, verdict out: the one sequence of all verifiers that check signatures themselves. It knows neither files
 * nor servers; a {@link KeyProvider} does.
 *
 * Order: shape, `iss` and times first, because they refuse without asking anybody for keys; then the signature; only
 * then is anything believed. So a forged token is SIGNATURE unless it is also foreign or out of time.
 * @internal
 */
export class JwtVerifier {
  constructor(
    private readonly keys: Pick<KeyProvider, 'issuers' | 'find'>,
    private readonly options: JwtVerifierOptions,
  ) {}

  /** @throws {InvalidTokenError} refused @throws {VerifierUnavailableError} could not decide */
  readonly verify = async (token: string, audiences: readonly string[]): Promise<Verdict> => {
    const jws = parseCompactJws(token);
    const claims = jws.unverifiedClaims;
    const isLegacy = this.options.acceptLegacyTokens && isLegacyLayout(claims);
    const issuer = checkIssuer(claims, isLegacy ? [LEGACY_ISSUER] : await this.keys.issuers());
    checkTimes(claims, this.now());
    await verifySignature(jws, await this.candidates(jws.unverifiedHeader, issuer));
    return isLegacy ? this.legacyVerdict(claims) : this.boundVerdict(claims, issuer, audiences);
  };

  /** Nobody is asked for the keys of an algorithm that none of ours has, `none` and HMAC first of all. */
  private async candidates(header: UnverifiedHeader, issuer: string): Promise<readonly VerificationKey[]> {
    return isKeyAlgorithm(header.alg) ? this.keys.find(header, issuer) : [];
  }

  private boundVerdict(claims: JsonObject, issuer: string, asked: readonly string[]): Verdict {
    // Again, because getting keys may have taken its time.
    const { expiresAtMs, issuedAtMs } = checkTimes(claims, this.now());
    if (expiresAtMs === undefined) throw new InvalidTokenError('MALFORMED', '"exp" claim: expected one');
    const audiences = matchAudiences(claims, asked);
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
    const latestMs = now.nowMs + LEGACY_VERDICT_MS;
    return { principal, validUntilMs: Math.min(latestMs, expiresAtMs ?? latestMs) };
  }

  private now(): Instant {
    return { nowMs: this.options.clock.wallMs(), clockToleranceMs: this.options.clockToleranceMs };
  }
}
