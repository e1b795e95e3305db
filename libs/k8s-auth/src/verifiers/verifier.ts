import { type z } from 'zod';
import { type Principal } from '../identity/principal.js';
import { type CallerConnection } from '../api-server/fair-queue.js';
import { type Readiness } from '../util/readiness.js';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';

export { type CallerConnection };

/** A token that was accepted. @publicApi */
export interface Verdict {
  readonly principal: Principal;
  /** Wall clock, milliseconds: the instant after which this verdict must not be used (the token's `exp`). */
  readonly validUntilMs: number;
}

/**
 * Verifies one token. The guard knows this function and no verifier; a cache or a check wraps it with another one.
 *
 * - `token`: a b64token (RFC 6750 §2.1) of bounded length, otherwise unchecked.
 * - `audiences`: what the route requires, at least one; the token must be issued for one of them.
 * - `connection`: whose request waits. It never changes the verdict: when there is too much to do, it says who goes first.
 * - Returns synchronously where that is possible.
 * @throws {InvalidTokenError} the token was checked and rejected
 * @throws {VerifierUnavailableError} could not decide
 * @publicApi
 */
export type Verify = (
  token: string,
  audiences: readonly string[],
  connection?: CallerConnection,
) => Verdict | Promise<Verdict>;

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

/** How an environment variable becomes an option. */
export interface VerifierVariable {
  /** Dotted path of the option, such as `apiServer.url`. */
  readonly option: string;
  readonly variable: string;
  readonly type: 'text' | 'list' | 'integer' | 'boolean';
}

/** What a verifier is made with besides its options. */
export interface VerifierContext {
  readonly clock: Clock;
  readonly log: Log;
  /** The process environment, for finding the API server. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * All that the rest of the library knows of a verification method. A new one is a folder with such a definition and
 * a line in index.ts.
 */
export interface VerifierDefinition<Options extends { readonly kind: string }> {
  readonly kind: Options['kind'];
  /** Checks the options at boot; refuses unknown members, so that options of two verifiers cannot be mixed. */
  readonly schema: z.ZodType<Options>;
  /** The environment variables that this verifier reads, through config/environment.ts. */
  readonly variables: readonly VerifierVariable[];
  /** @throws {ConfigurationError} for what a schema cannot see, such as a missing key file. */
  create(options: Options, context: VerifierContext): Promise<Verifier>;
}
