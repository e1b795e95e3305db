import { z } from 'zod';
import { type DestinationOptions, destinationsSchema } from '../outbound/destinations.options.js';
import {
  type AnyVerifierDefinition,
  findVerifierDefinition,
  verifierKinds,
  type VerifierOptions,
} from '../verifiers/index.js';
import { ConfigurationError } from '../errors.js';
import { AUDIENCE_RULE, readAudiences } from '../identity/names.js';
import { loggable } from '../util/log.js';

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
   * @minimum 1024
   * @maximum 16384, which is what Node reads as headers by default
   */
  readonly maxTokenBytes?: number;
}

export const DEFAULT_MAX_TOKEN_BYTES = 8192;

const audience = z.custom<string | readonly string[]>(
  (value) => readAudiences(value) !== undefined,
  `expected ${AUDIENCE_RULE}`,
);

const schema = z.strictObject({
  // Looked at by the schema of its kind, below: a union would blame every member for one mistake.
  verifier: z.unknown().optional(),
  audience: audience.optional(),
  allowApiServerAudience: z.boolean().optional(),
  destinations: destinationsSchema.optional(),
  maxTokenBytes: z.int().min(1024).max(16384).optional(),
});

/** A mistake and the option it is about; the path is empty where the options as a whole are wrong. @internal */
export interface OptionMistake {
  readonly path: string;
  readonly message: string;
}

/**
 * Every mistake in the options, none repeating a value.
 * @internal
 */
export function findOptionMistakes(options: unknown): OptionMistake[] {
  const mistakes = toMistakes(schema.safeParse(options, { error: wordIssue }).error);
  if (typeof options !== 'object' || options === null) return mistakes;
  const { verifier, destinations } = options as K8sAuthOptions;
  if (verifier === undefined && destinations === undefined) {
    mistakes.push({ path: '', message: "expected 'verifier', 'destinations' or both" });
  }
  if (verifier !== undefined) mistakes.push(...findVerifierMistakes(verifier));
  return mistakes;
}

function findVerifierMistakes(verifier: unknown): OptionMistake[] {
  const definition = findVerifierDefinition((verifier as { kind?: unknown } | null)?.kind);
  return definition
    ? toMistakes(definition.schema.safeParse(verifier, { error: wordIssue }).error, ['verifier'])
    : [{ path: 'verifier.kind', message: `expected one of ${verifierKinds.join(', ')}` }];
}

function toMistakes(error: z.ZodError | undefined, prefix: readonly PropertyKey[] = []): OptionMistake[] {
  return (error?.issues ?? []).map(({ path, message }) => ({
    path: joinPath([...prefix, ...path]),
    message,
  }));
}

// Every number among the options is a whole one.
const EXPECTED_TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  object: 'an object',
  string: 'a text',
};

/** In our words, where a schema has none of its own: zod's talk of types and inequalities. */
function wordIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${EXPECTED_TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `expected at least ${issue.minimum}`;
    case 'too_big':
      return `expected at most ${issue.maximum}`;
    case 'unrecognized_keys':
      return `expected no option ${issue.keys.map((key) => `'${loggable(key)}'`).join(', ')}, because there is none of this name`;
    default:
      return undefined;
  }
}

/** `destinations[0].origin` */
function joinPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (joined, key) =>
      typeof key === 'number'
        ? `${joined}[${key}]`
        : joined === ''
          ? String(key)
          : `${joined}.${String(key)}`,
    '',
  );
}

/** Options that have been checked, with the definition that their verifier belongs to. @internal */
export interface CheckedOptions {
  readonly options: K8sAuthOptions;
  readonly definition: AnyVerifierDefinition | undefined;
}

/** @throws {ConfigurationError} with every mistake, each naming its option @internal */
export function checkOptions(options: K8sAuthOptions): CheckedOptions {
  const mistakes = findOptionMistakes(options);
  if (mistakes.length > 0) {
    throw new ConfigurationError(
      mistakes.map(({ path, message }) => (path === '' ? message : `option '${path}': ${message}`)),
    );
  }
  return { options, definition: options.verifier && findVerifierDefinition(options.verifier.kind) };
}
