import { type TokenFileTrouble } from './error-codes.js';
import { K8sAuthError } from './k8s-auth.error.js';

/**
 * There is no token to call with: the request was not sent. The message names the file.
 * @publicApi
 */
export class TokenSourceError extends K8sAuthError {
  readonly code: `ERR_K8S_AUTH_TOKEN_FILE_${TokenFileTrouble}`;

  constructor(
    readonly trouble: TokenFileTrouble,
    /** The file that should hold the token. */
    readonly tokenFile: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = `ERR_K8S_AUTH_TOKEN_FILE_${trouble}`;
  }
}
