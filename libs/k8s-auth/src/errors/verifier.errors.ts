import { K8sAuthError } from './k8s-auth.error.js';

const DEFAULT_RETRY_AFTER_MS = 1_000;

/**
 * Could not decide: a server is away, there are no keys yet, our own credential or right was refused, or too many
 * reviews wait. Says nothing about the token.
 * @publicApi
 */
export class VerifierUnavailableError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';
  /** When asking again may help, in milliseconds from now. @default 1000 */
  readonly retryAfterMs: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS;
  }
}
