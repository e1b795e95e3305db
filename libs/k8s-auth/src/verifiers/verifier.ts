import { type Principal } from '../identity/principal.js';

/** A token that was accepted. @publicApi */
export interface Verdict {
  readonly principal: Principal;
  /** Wall clock, milliseconds: the instant after which this verdict must not be used (the token's `exp`). */
  readonly validUntilMs: number;
}

/**
 * Whether a service can do its work. `degraded`: an outage lasts, and what the verifier had before is used: keys for hours,
 * verdicts of reviews for seconds, after which callers get 503.
 * @publicApi
 */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  /** Why it is not `ready`. Holds no token text and no data of callers. */
  readonly reason?: string;
}

/**
 * Verifies one token. The guard knows this function and no verifier; a cache or a check wraps it with another one.
 *
 * - `token`: a b64token (RFC 6750 §2.1) of bounded length, otherwise unchecked.
 * - `audiences`: what the route requires, at least one; the token must be issued for one of them.
 * - Returns synchronously where that is possible.
 * @throws {InvalidTokenError} the token was checked and rejected
 * @throws {VerifierUnavailableError} could not decide
 * @publicApi
 */
export type Verify = (token: string, audiences: readonly string[]) => Verdict | Promise<Verdict>;

/** What a verifier's definition creates. @publicApi */
export interface Verifier {
  readonly verify: Verify;

  /** Starts fetching what verifying needs, in the background. Never throws and never waits. */
  start(): void;

  readiness(): Readiness;

  /** Stops timers and closes connections; verifications under way may still finish. */
  close(): Promise<void>;

  /**
   * The audiences that the API server itself accepts, as far as this verifier can tell.
   * @returns `undefined` while that is not known yet: ask again later. Never rejects.
   */
  apiServerAudiences?(): Promise<readonly string[] | undefined>;
}
