import { K8sAuthError } from './k8s-auth.error.js';

/**
 * The process must not start like this. `mistakes` holds every mistake found, each naming its option or variable and
 * what was expected, none repeating the value.
 * @publicApi
 */
export class ConfigurationError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CONFIGURATION_INVALID';

  constructor(
    readonly mistakes: readonly string[],
    options?: { cause?: unknown },
  ) {
    super(
      `invalid k8s-auth configuration:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`,
      options,
    );
  }
}
