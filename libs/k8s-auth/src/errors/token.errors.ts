import { type InvalidTokenReason } from './error-codes.js';
import { K8sAuthError } from './k8s-auth.error.js';

/** The request carries no bearer credentials (RFC 6750 §3.1: no error code for the caller). @publicApi */
export class MissingTokenError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_TOKEN_MISSING';
}

/** The `Authorization` header is repeated, or of the Bearer scheme and not one b64token (RFC 6750 §2.1). @publicApi */
export class MalformedCredentialsError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED';
}

/**
 * The token was looked at and refused: never thrown because something could not be reached.
 * The code names the reason and is meant for the log, not for the caller.
 * @publicApi
 */
export class InvalidTokenError extends K8sAuthError {
  readonly code: `ERR_K8S_AUTH_TOKEN_${InvalidTokenReason}`;

  constructor(
    readonly reason: InvalidTokenReason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = `ERR_K8S_AUTH_TOKEN_${reason}`;
  }
}
