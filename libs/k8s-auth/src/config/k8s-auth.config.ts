import { registerAs } from '@nestjs/config';
import { ConfigurationError, type Mistake, type MistakePlace } from '../errors.js';
import { k8sAuthLog } from '../util/log.js';
import { type VerifierVariable } from '../verifiers/verifier.js';
import { type Environment, optionsFromEnvironment } from './environment.js';
import { type K8sAuthOptions } from './options.js';

/** The only place in the library that reads the process environment. @internal */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * The module's options from environment variables, for `K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider())`.
 * Every mistake fails startup, all in one message that names the variables.
 * @throws {ConfigurationError}
 * @publicApi
 */
export const k8sAuthConfig = registerAs('k8sAuth', (): K8sAuthOptions => {
  const { options, mistakes, unused } = optionsFromEnvironment(processEnvironment());
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  if (unused.length > 0) {
    k8sAuthLog.warn({
      message: `variables are set that mean nothing to verifier ${options.verifier?.kind ?? '(none)'}`,
      variables: unused,
    });
  }
  return options;
});

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
