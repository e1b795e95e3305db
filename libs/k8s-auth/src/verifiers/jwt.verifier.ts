import { z } from 'zod';
import { createPrincipal } from '../identity/principal.js';
import { type Clock } from '../util/clock.js';
import { type JsonObject, type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type Instant } from '../jwt/jwt-claims.js';
import { isKeyAlgorithm, type VerificationKey } from '../jwt/verification-key.js';
import { isLegacyLayout, LEGACY_ISSUER } from '../jwt/service-account-claims.js';
import { type JwtChecks, jwtChecks, type VerifierKeys } from './jwt-checks.js';
import { type Verdict, type Verify } from './verifier.js';

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
 * calls no servers: a `KeyProvider` supplies the keys.
 *
 * Order of checks: first format, `iss` and times, because a token can be rejected for them without fetching keys; then
 * the signature; then all other claims, which are read only after the signature is verified. A forged token is therefore
 * rejected as SIGNATURE, unless its issuer or its times are wrong too.
 * @internal
 */
export class JwtVerifier {
  private readonly keys: VerifierKeys;

  /** @param checks other functions that call the default ones, to report each check */
  constructor(
    keys: VerifierKeys,
    private readonly options: JwtVerifierOptions,
    private readonly checks: JwtChecks = jwtChecks,
  ) {
    this.keys = checks.keys(keys);
  }

  /** @throws {InvalidTokenError} the token is rejected @throws {VerifierUnavailableError} could not decide */
  readonly verify: Verify = (token, audiences) => {
    const { checks } = this;
    const jws = checks.parse(token);
    const isLegacy = this.options.acceptLegacyTokens === true && isLegacyLayout(jws.unverifiedClaims);
    return whenKnown(isLegacy ? [LEGACY_ISSUER] : this.keys.issuers(), (issuers) => {
      const issuer = checks.issuer(jws.unverifiedClaims, issuers);
      checks.times(jws.unverifiedClaims, this.now());
      return whenKnown(this.candidates(jws.unverifiedHeader, issuer), (candidates) =>
        whenKnown(checks.signature(jws, candidates), (key) =>
          isLegacy
            ? this.legacyVerdict(jws.unverifiedClaims, key)
            : this.boundVerdict(jws.unverifiedClaims, key, issuer, audiences),
        ),
      );
    });
  };

  /** For an algorithm that no key can have, such as `none` or HMAC, no keys are fetched. */
  private candidates(
    header: UnverifiedHeader,
    issuer: string,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    return isKeyAlgorithm(header.alg) ? this.keys.find(header, issuer) : [];
  }

  private boundVerdict(
    claims: JsonObject,
    key: VerificationKey,
    issuer: string,
    required: readonly string[],
  ): Verdict {
    const { checks } = this;
    // Checked again, because fetching keys may have taken time.
    const times = checks.times(claims, this.now());
    const expiresAtMs = checks.expiry(times);
    const audiences = checks.audiences(claims, required);
    const ofToken = {
      audiences,
      issuer,
      issuedAtMs: times.issuedAtMs,
      expiresAtMs,
      verifiedBy: this.options.kind,
    };
    const principal = createPrincipal(Object.assign(checks.boundClaims(claims), ofToken));
    return { principal, validUntilMs: expiresAtMs, isCurrent: () => this.keys.trusts(key, issuer) };
  }

  private legacyVerdict(claims: JsonObject, key: VerificationKey): Verdict {
    const now = this.now();
    const { expiresAtMs, issuedAtMs } = this.checks.times(claims, now);
    const facts = { ...this.checks.legacyClaims(claims), audiences: [], issuer: LEGACY_ISSUER };
    const principal = createPrincipal({
      ...facts,
      issuedAtMs,
      expiresAtMs,
      verifiedBy: this.options.kind,
    });
    const latestMs = now.nowMs + LEGACY_VERDICT_LIFETIME_MS;
    const validUntilMs = Math.min(latestMs, expiresAtMs ?? latestMs);
    return { principal, validUntilMs, isCurrent: () => this.keys.trusts(key) };
  }

  private now(): Instant {
    return { nowMs: this.options.clock.wallMs(), clockToleranceMs: this.options.clockToleranceMs };
  }
}

/** Continues synchronously with a value that is known already. */
function whenKnown<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
