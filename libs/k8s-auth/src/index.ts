// The public API. Applications import from here only.
export { K8sAuthModule } from './k8s-auth.module.js';
export { type K8sAuthOptionsFactory } from './k8s-auth.providers.js';
export { type K8sAuthOptions } from './config/options.js';
export { k8sAuthConfig } from './config/k8s-auth.config.js';
export { K8sAuthReadiness } from './k8s-auth.readiness.js';
export {
  K8sAuthSelfCheck,
  type OwnTokenState,
  type SelfCheckCode,
  type SelfCheckProblem,
  type SelfCheckSnapshot,
} from './k8s-auth.self-check.js';
export {
  OWN_TOKEN_PROBLEMS,
  type OwnTokenProblem,
  type OwnTokenProblemCode,
} from './token-file/token-freshness.js';

export { K8sAuthStatistics, type Statistics } from './k8s-auth.statistics.js';
export { K8sAuthEvents } from './events/k8s-auth.events.js';
export {
  type EventCaller,
  type K8sAuthListener,
  type RefusalOutcome,
  type RejectedEvent,
  type StaleKeysEvent,
  type TokenRotatedEvent,
  type VerifiedEvent,
} from './events/event-types.js';
export { type Operation, type OperationObserver, type OperationResult } from './events/operations.js';

export { K8sAuthGuard } from './inbound/request/k8s-auth.guard.js';
export {
  Caller,
  EnforceK8sAuth,
  findPrincipal,
  type GatewayClient,
  getPrincipal,
  K8sAuth,
  Public,
} from './inbound/k8s-auth.decorators.js';

export { K8sAuthWouldRefuseCounts, type WouldRefuseCount } from './inbound/request/would-refuse-counts.js';

export { type Principal } from './identity/principal.js';
export { type AuthorizationRule, type Decision } from './authorization/rules.js';
export { allOf, allowNamespaces, allowServiceAccounts, anyOf, not } from './authorization/rules.js';

export { type VerifierOptions } from './verifiers/index.js';
export { type TokenReviewOptions } from './verifiers/tokenreview/tokenreview.definition.js';
export { type JwtPubkeyOptions } from './verifiers/jwt-pubkey/jwt-pubkey.definition.js';
export { type OidcDiscoveryOptions } from './verifiers/oidc-discovery/oidc-discovery.definition.js';
export { type HybridOptions } from './verifiers/hybrid/hybrid.definition.js';
export { type ApiServerOptions } from './api-server/api-server.options.js';
export {
  type CallerConnection,
  type Verdict,
  type Verifier,
  type VerifierStatistics,
  type Verify,
} from './verifiers/verifier.js';
export { type Readiness } from './util/readiness.js';

export { type DestinationOptions } from './outbound/destinations.options.js';
export { type DestinationState, K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
export { type AttachableAxios, attachK8sAuth } from './outbound/axios/attach-k8s-auth.js';
export { type AnyFetch, createK8sAuthFetch } from './outbound/fetch/create-k8s-auth-fetch.js';
export { createK8sAuthCallCredentials, type GrpcModule } from './outbound/grpc/k8s-auth-call-credentials.js';
export { type GrpcInterceptor, k8sAuthGrpcInterceptor } from './outbound/grpc/k8s-auth-grpc-interceptor.js';
export { type AnyDispatch, k8sAuthInterceptor } from './outbound/undici/k8s-auth-interceptor.js';
export { K8sAuthHttpModule } from './outbound/axios/k8s-auth-http.module.js';

export { type Clock, K8S_AUTH_CLOCK } from './util/clock.js';
export * from './errors.js';
