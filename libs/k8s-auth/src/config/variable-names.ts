import { ConfigurationError } from '../errors.js';
import { type VerifierVariable } from '../verifiers/verifier-definition.js';

/**
 * A verifier that finds a mistake only when it is made (a file that is missing) names its option. Whoever configures by
 * the environment knows the variable: both are said.
 * @internal
 */
export function nameVariables(error: unknown, variables: readonly VerifierVariable[]): Error {
  if (!(error instanceof ConfigurationError)) return error as Error;
  const mistakes = error.mistakes.map((mistake) =>
    mistake.replace(/^option '([\w.]+)'/, (named, option: string) => {
      const variable = variables.find((candidate) => candidate.option === option)?.variable;
      return variable === undefined ? named : `option 'verifier.${option}' (${variable})`;
    }),
  );
  return new ConfigurationError(mistakes, { cause: error.cause });
}
