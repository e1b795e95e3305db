/** Every code this library's errors carry. Closed: a switch over it can be exhaustive. Rows in docs/errors.md. @publicApi */
export type K8sAuthErrorCode = `ERR_K8S_AUTH_${K8sAuthErrorCodeSuffix}`;

type K8sAuthErrorCodeSuffix =
  | 'TOKEN_MISSING'
  | 'CREDENTIALS_MALFORMED'
  | `TOKEN_${InvalidTokenReason}`
  | 'PRINCIPAL_FORBIDDEN'
  | 'ROUTE_UNDECORATED'
  | 'CONTEXT_UNSUPPORTED'
  | 'VERIFIER_UNAVAILABLE'
  | `TOKEN_FILE_${TokenFileTrouble}`
  | 'CONFIGURATION_INVALID';

/** Why a token was refused. For the log: callers see one answer for all of them. @publicApi */
export type InvalidTokenReason =
  'MALFORMED' | 'SIGNATURE' | 'EXPIRED' | 'NOT_YET_VALID' | 'ISSUER' | 'AUDIENCE' | 'REJECTED';

/** What is wrong with a token file. @publicApi */
export type TokenFileTrouble = 'UNREADABLE' | 'EMPTY' | 'MALFORMED' | 'AUDIENCE' | 'EXPIRED';
