import { type ConfigFactoryKeyHost } from '@nestjs/config';
import { type DynamicModule } from '@nestjs/common';
import { ConfigurationError, type Mistake, type MistakePlace } from '../errors.js';
import { k8sAuthLog } from '../util/log.js';
import { importOptional } from '../util/optional-package.js';
import { type VerifierVariable } from '../verifiers/verifier.js';
import { type Environment, optionsFromEnvironment } from './environment.js';
import { type K8sAuthOptions } from './options.js';

/** The only place in the library that reads the process environment. @internal */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * The module's options from environment variables, for `K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider())`.
 * Any mistake fails startup. One message lists all mistakes and names their variables.
 * @throws {ConfigurationError}
 * @publicApi
 */
export const k8sAuthConfig = registerOnFirstUse('k8sAuth', (): K8sAuthOptions => {
  const { options, mistakes, unused, suggestions } = optionsFromEnvironment(processEnvironment());
  if (unused.length > 0) {
    k8sAuthLog.warn({
      message: `environment variables without effect: verifier ${options.verifier?.kind ?? '(none)'} does not use them`,
      variables: unused,
      ...(Object.keys(suggestions).length > 0 && { didYouMean: suggestions }),
    });
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return options;
});

/**
 * `registerAs` of @nestjs/config, but the package is imported only by `asProvider`: a service that uses `forRoot` does not
 * load it. Nest waits for a promise in `imports`. The spec compares the result with that of `registerAs`.
 */
function registerOnFirstUse<T extends object>(
  name: string,
  read: () => T,
): (() => T) & ConfigFactoryKeyHost<T> {
  const token = `CONFIGURATION(${name})`;
  const importModule = async (): Promise<DynamicModule> => {
    const { ConfigModule } = await importOptional(
      '@nestjs/config',
      `${name}Config.asProvider()`,
      () => import('@nestjs/config'),
    );
    return ConfigModule.forFeature(read);
  };
  const host: ConfigFactoryKeyHost<T> = {
    KEY: token,
    asProvider: () => ({
      // The declared type has no promise.
      imports: [importModule() as Promise<DynamicModule> & DynamicModule],
      useFactory: (config) => config,
      inject: [token],
    }),
  };
  const values = { PARTIAL_CONFIGURATION_KEY: name, ...host };
  for (const [key, value] of Object.entries(values)) Object.defineProperty(read, key, { value });
  return read as (() => T) & ConfigFactoryKeyHost<T>;
}

/**
 * Adds the name of the variable to mistakes that are found only when a verifier is created, such as a missing file. The
 * verifier names its option, but a user who configures by the environment knows the variable.
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
