import { ConfigurationError, type Mistake, type MistakePlace } from '../errors.js';
import { type VerifierVariable } from '../verifiers/verifier-definition.js';

/**
 * A verifier names its own option in a mistake that only its creation finds, such as a missing file. Whoever configures
 * by the environment knows the variable instead: both are named.
 * @internal
 */
export function nameVariables(error: unknown, variables: readonly VerifierVariable[]): Error {
  if (!(error instanceof ConfigurationError)) return error as Error;
  const named = (place: MistakePlace): MistakePlace => {
    if (typeof place === 'string') return place;
    const variable = variables.find(({ option }) => option === place.option)?.variable;
    return variable === undefined ? place : `option 'verifier.${place.option}' (${variable})`;
  };
  const details = error.details.map((mistake): Mistake | string =>
    typeof mistake === 'string' || mistake.place === undefined
      ? mistake
      : { ...mistake, place: named(mistake.place) },
  );
  return new ConfigurationError(details, { cause: error.cause });
}
