export { type InvalidTokenReason, type K8sAuthErrorCode, type TokenFileTrouble } from './error-codes.js';
export { K8sAuthError } from './k8s-auth.error.js';
export { InvalidTokenError, MalformedCredentialsError, MissingTokenError } from './token.errors.js';
export { VerifierUnavailableError } from './verifier.errors.js';
export {
  ForbiddenPrincipalError,
  UndecoratedRouteError,
  UnsupportedContextError,
} from './authorization.errors.js';
export { TokenSourceError } from './token-source.errors.js';
export { ConfigurationError } from './configuration.error.js';
