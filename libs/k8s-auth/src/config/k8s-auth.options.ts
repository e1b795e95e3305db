import { type DestinationOptions } from '../outbound/destinations.options.js';
import { type VerifierOptions } from '../verifiers/index.js';

/**
 * What a service says at boot. One of `verifier` (to be called) and `destinations` (to call) has to be there.
 * @publicApi
 */
export interface K8sAuthOptions {
  /** How tokens of callers are verified. Omitted in services that only call others. */
  readonly verifier?: VerifierOptions;

  /**
   * What `@K8sAuth()` without an argument requires; of a list, a token for any entry is accepted, so that a service can
   * be renamed without downtime. No default: an audience is named, never guessed.
   */
  readonly audience?: string | readonly string[];

  /**
   * Lets a route ask for an audience that the API server itself accepts. Such a token opens the Kubernetes API too,
   * so whoever receives it can act as the caller.
   * @default false
   */
  readonly allowApiServerAudience?: boolean;

  /** Where this service's own tokens go, and which file holds them. Everybody else is called without one. */
  readonly destinations?: readonly DestinationOptions[];

  /**
   * The longest token that is looked at, in bytes; a longer one is refused.
   * @default 8192
   * minimum 1024, maximum 16384 (what Node reads as headers by default)
   */
  readonly maxTokenBytes?: number;
}
