import type * as z from 'zod';
import { loggable } from '../util/log.js';

/** A mistake and the path of its option. The path is empty if the mistake is not about a single option. @internal */
export interface OptionMistake {
  readonly path: string;
  readonly message: string;
}

/** @param prefix the path of the options that the schema describes @internal */
export function toMistakes(
  error: z.ZodError | undefined,
  prefix: readonly PropertyKey[] = [],
): OptionMistake[] {
  return (error?.issues ?? []).map(({ path, message }) => ({
    path: joinPath([...prefix, ...path]),
    message,
  }));
}

// All numbers among the options are whole numbers.
const EXPECTED_TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  object: 'an object',
  string: 'a string',
};

/** Our wording of zod's standard messages. A message that a schema sets itself is used unchanged. @internal */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${EXPECTED_TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `expected at least ${issue.minimum}`;
    case 'too_big':
      return `expected at most ${issue.maximum}`;
    case 'unrecognized_keys':
      return `expected no option ${issue.keys.map((key) => `'${loggable(key)}'`).join(', ')}: it does not exist`;
    case 'invalid_value':
      return `expected one of ${issue.values.map((value) => `'${String(value)}'`).join(', ')}`;
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
