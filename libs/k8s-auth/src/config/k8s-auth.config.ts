import { registerAs } from '@nestjs/config';
import { ConfigurationError } from '../errors.js';
import { optionsFromEnvironment } from './environment.js';
import { k8sAuthLog } from '../util/k8s-auth.log.js';
import { type K8sAuthOptions } from './k8s-auth.options.js';

export type Environment = Readonly<Record<string, string | undefined>>;

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
