import { type DestinationOptions } from '../outbound/destinations.options.js';
import { type VerifierOptions } from '../verifiers/index.js';

/**
 * The options of `K8sAuthModule.forRoot`, and what the factory of `forRootAsync` returns. At least one of `verifier` (to
 * be called) and `destinations` (to call others) is required. They are checked at startup: a `ConfigurationError` lists
 * every mistake.
 * @publicApi
 */
export interface K8sAuthOptions {
  /** How tokens of callers are verified. Omitted in services that only call others. */
  readonly verifier?: VerifierOptions;

  /**
   * The audience that `@K8sAuth()` without an argument requires. With a list, a token issued for any entry is accepted,
   * so that a service can be renamed without downtime. There is no default.
   */
  readonly audience?: string | readonly string[];

  /**
   * Lets a route ask for an audience that the API server itself accepts. Such a token opens the Kubernetes API too,
   * so whoever receives it can act as the caller.
   * @default false
   */
  readonly allowApiServerAudience?: boolean;

  /**
   * The services that this one calls with a token, and the file of the token for each. Requests to all other origins
   * carry no token.
   * @default none
   */
  readonly destinations?: readonly DestinationOptions[];

  /**
   * The longest token that is looked at, in bytes; a longer one is refused.
   * @default 8192
   * minimum 1024, maximum 16384 (what Node reads as headers by default)
   */
  readonly maxTokenBytes?: number;
}
