import { type z } from 'zod';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';
import { type Verifier } from './verifier.js';

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
