import { type Principal } from '../identity/principal.js';

/** A token that was accepted. @publicApi */
export interface Verdict {
  readonly principal: Principal;
  /** Wall clock, milliseconds: the instant after which this verdict says nothing any more (the token's `exp`). */
  readonly validUntilMs: number;
}

/** Whether a service can do its work; `degraded` still serves, but from what it had before an outage. @publicApi */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  /** Why it is not `ready`. No token text, no caller's data. */
  readonly reason?: string;
}

/**
 * One way of telling whose token this is. The guard knows this interface and no verifier.
 * @publicApi
 */
export interface TokenVerifier {
  /** The kind that chose it in the options; becomes {@link Principal.verifiedBy}. */
  readonly kind: string;

  /**
   * @param token a b64token (RFC 6750 §2.1) of bounded length, otherwise unchecked
   * @param audiences what the route asks for, at least one; the token has to be made for one of them
   * @returns at once where that is possible
   * @throws {InvalidTokenError} the token was looked at and refused
   * @throws {VerifierUnavailableError} could not decide
   */
  verify(token: string, audiences: readonly string[]): Verdict | Promise<Verdict>;

  /** Starts fetching what verifying needs, in the background. Never throws and never waits. */
  hydrate(): void;

  readiness(): Readiness;

  /**
   * The audiences that the API server itself accepts, as far as this verifier can tell. A service must not share them.
   * @returns `undefined` while that is not known yet: then ask again later. Never rejects.
   */
  apiServerAudiences(): Promise<readonly string[] | undefined>;

  /** Stops timers and closes connections; verifications under way may still finish. */
  close(): Promise<void>;
}
