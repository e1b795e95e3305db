import { type Principal } from '../identity/principal.js';
import { type OwnApiServer } from '../api-server/own-api-server.js';
import { type CallerConnection } from '../api-server/fair-queue.js';
import { type EventSink } from '../events/k8s-auth.events.js';
import { type ReviewStatistics } from '../api-server/token-review.client.js';
import { type KeyStatistics } from '../keys/key-provider.js';
import { type Readiness } from '../util/readiness.js';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';
import { type JwtChecks } from './jwt-checks.js';

export { type CallerConnection };

/** A token that was accepted. @publicApi */
export interface Verdict {
  readonly principal: Principal;
  /** Wall clock, milliseconds: the instant after which this verdict must not be used (the token's `exp`). */
  readonly validUntilMs: number;
  /**
   * Whether the verdict may still be used, apart from the time: `false` once its key is no longer trusted. Called on each use of
   * a cached verdict, so it must be fast. Omitted: only the time ends the verdict.
   */
  readonly isCurrent?: () => boolean;
}

/**
 * Verifies one token. The guard depends only on this function, not on a verifier. A cache or an additional check wraps it
 * with another function.
 *
 * - `token`: text of bounded length from the `Authorization` header, otherwise unchecked. Accept nothing but a compact JWS.
 * - `audiences`: the audiences that the route accepts, at least one. The token must be issued for one of them.
 * - `connection`: the connection of the waiting request. It only affects the order of verifications under overload, never
 *   the verdict.
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

/** Figures about a verifier. The numbers of events count from the start of the process. @publicApi */
export interface VerifierStatistics {
  /** Verdicts that were in memory, rejections included. */
  readonly cacheHits: number;
  /** Verdicts that were not in memory. */
  readonly cacheMisses: number;
  /** The public keys that signatures are verified with. Omitted if the API server verifies them. */
  readonly keys?: KeyStatistics;
  /** Omitted if the API server is not asked about tokens. */
  readonly reviews?: ReviewStatistics;
}

/** Whose tokens a verifier accepts, and the API server that it uses, for the log. */
export interface VerifierSummary {
  readonly issuers?: readonly string[];
  readonly apiServer?: string;
}

/** A verifier, as created by its definition. @publicApi */
export interface Verifier {
  readonly verify: Verify;

  /** Starts to fetch keys and other data for verification, in the background. Never throws and never waits. */
  start(): void;

  readiness(): Readiness;

  /** Figures for monitoring. */
  statistics?(): VerifierStatistics;

  /** Stops timers and closes connections. Verifications in flight may still finish. */
  close(): Promise<void>;

  /**
   * The audiences that the API server itself accepts, as far as this verifier knows. Never rejects.
   * @returns `undefined` while they are not known yet: call it again later
   */
  apiServerAudiences?(): Promise<readonly string[] | undefined>;

  /** Reads no more than the service's own credential. Never rejects. */
  summary?(): Promise<VerifierSummary>;
}

/** Maps an environment variable to an option. */
export interface VerifierVariable {
  /** Dotted path of the option, such as `apiServer.url`. */
  readonly option: string;
  readonly variable: string;
  readonly type: 'text' | 'list' | 'integer' | 'boolean';
}

/** The dependencies of a verifier, in addition to its options. */
export interface VerifierContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EventSink;
  /** Records our own token file and the offset of our clock. */
  readonly ownApiServer?: OwnApiServer;
  /** The process environment, used to find the API server. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Functions that report the checks of a local verification. @default checks without a report */
  readonly checks?: JwtChecks;
}

/**
 * A zod schema. This is the only part of it that the published declarations contain, so that users do not need zod to
 * compile their applications.
 */
export interface OptionsSchema<Options> {
  readonly _zod: { readonly output: Options };
}

/**
 * Everything that the rest of the library knows about a verification method. To add a method, add a folder with such a
 * definition and a line in index.ts.
 */
export interface VerifierDefinition<Options extends { readonly kind: string }> {
  readonly kind: Options['kind'];
  /** Checks the options at startup. It rejects unknown members, so that options of two verifiers cannot be mixed. */
  readonly schema: OptionsSchema<Options>;
  /** The environment variables that this verifier reads, through config/environment.ts. */
  readonly variables: readonly VerifierVariable[];
  /** @throws {ConfigurationError} for mistakes that a schema cannot find, such as a missing key file */
  create(options: Options, context: VerifierContext): Promise<Verifier>;
}
