import { z } from 'zod';
import { ConfigurationError } from '../errors.js';
import { AUDIENCE_RULE, readAudiences } from '../identity/audiences.js';
import { type K8sAuthOptions } from './k8s-auth.options.js';
import { loggable } from '../util/log.js';
import { destinationsSchema } from '../outbound/destinations.options.js';
import { type AnyVerifierDefinition, findVerifierDefinition, verifierKinds } from '../verifiers/index.js';

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
