import * as z from 'zod';
import { createPrincipal, type Principal } from '../identity/principal.js';
import { type Clock } from '../util/clock.js';
import { type JsonObject, type UnverifiedHeader, type UnverifiedJws } from '../jwt/compact-jws.js';
import { type Instant, type TokenTimes } from '../jwt/jwt-claims.js';
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
 * calls no servers: a {@link KeyProvider} supplies the keys.
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
    const jws = this.checks.parse(token);
    const isLegacy = this.options.acceptLegacyTokens === true && isLegacyLayout(jws.unverifiedClaims);
    const issuers = isLegacy ? [LEGACY_ISSUER] : this.keys.issuers();
    return issuers instanceof Promise
      ? issuers.then((known) => this.findKeyAndFinish(jws, isLegacy, known, audiences))
      : this.findKeyAndFinish(jws, isLegacy, issuers, audiences);
  };

  private findKeyAndFinish(
    jws: UnverifiedJws,
    isLegacy: boolean,
    issuers: readonly string[],
    audiences: readonly string[],
  ): Verdict | Promise<Verdict> {
    const { checks } = this;
    const claims = jws.unverifiedClaims;
    const issuer = checks.issuer(claims, issuers);
    const times = checks.times(claims, this.now());
    const finish = (key: VerificationKey, currentTimes: TokenTimes) =>
      isLegacy
        ? this.legacyVerdict(claims, key, currentTimes)
        : this.boundVerdict(claims, key, currentTimes, issuer, audiences);
    const candidates = this.candidates(jws.unverifiedHeader, issuer);
    const key =
      candidates instanceof Promise
        ? candidates.then((fetched) => checks.signature(jws, fetched))
        : checks.signature(jws, candidates);
    // The times are checked again if time has passed: keys may have been fetched.
    return key instanceof Promise
      ? key.then((late) => finish(late, checks.times(claims, this.now())))
      : finish(key, times);
  }

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
    times: TokenTimes,
    issuer: string,
    required: readonly string[],
  ): Verdict {
    const { checks } = this;
    const expiresAtMs = checks.expiry(times);
    const audiences = checks.audiences(claims, required);
    const { issuedAtMs } = times;
    const ofToken = { audiences, issuer, issuedAtMs, expiresAtMs, verifiedBy: this.options.kind };
    const principal = createPrincipal(checks.boundClaims(claims), ofToken);
    return new LocalVerdict(principal, expiresAtMs, this.keys, key, issuer);
  }

  private legacyVerdict(
    claims: JsonObject,
    key: VerificationKey,
    { expiresAtMs, issuedAtMs }: TokenTimes,
  ): Verdict {
    const ofToken = { audiences: [], issuer: LEGACY_ISSUER, issuedAtMs, expiresAtMs };
    const principal = createPrincipal(this.checks.legacyClaims(claims), {
      ...ofToken,
      verifiedBy: this.options.kind,
    });
    const latestMs = this.options.clock.wallMs() + LEGACY_VERDICT_LIFETIME_MS;
    const validUntilMs = Math.min(latestMs, expiresAtMs ?? latestMs);
    return new LocalVerdict(principal, validUntilMs, this.keys, key);
  }

  private now(): Instant {
    return { nowMs: this.options.clock.wallMs(), clockToleranceMs: this.options.clockToleranceMs };
  }
}

/** A class, because each verified token has one of these in memory, and a closure takes as much memory as the rest of it. */
class LocalVerdict implements Verdict {
  readonly #keys: VerifierKeys;
  readonly #key: VerificationKey;
  readonly #issuer: string | undefined;

  constructor(
    readonly principal: Principal,
    readonly validUntilMs: number,
    keys: VerifierKeys,
    key: VerificationKey,
    issuer?: string,
  ) {
    this.#keys = keys;
    this.#key = key;
    this.#issuer = issuer;
  }

  isCurrent(): boolean {
    return this.#keys.trusts(this.#key, this.#issuer);
  }
}
