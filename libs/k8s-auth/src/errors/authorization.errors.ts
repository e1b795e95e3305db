import { K8sAuthError } from './k8s-auth.error.js';

/** The caller is known, and a rule of the route says no. The message names the rule. @publicApi */
export class ForbiddenPrincipalError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN';
}

/** The guard is global and the route says neither `@K8sAuth` nor `@Public`. @publicApi */
export class UndecoratedRouteError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_ROUTE_UNDECORATED';
}

/** The guard runs in a context whose credentials it cannot read (anything but HTTP). @publicApi */
export class UnsupportedContextError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CONTEXT_UNSUPPORTED';
}
