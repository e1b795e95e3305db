/** The second entry point, `nest-k8s-auth/testing`: helpers for tests of services that use the library. */
export { FakeClock } from './fake-clock.js';
export { LocalCluster } from './local-cluster/local-cluster.js';
export { ProjectedVolume, type ProjectedVolumeOptions, type Rotation } from './projected-volume.js';
export { admitAs, authenticateAs } from './authenticate-as.js';
export {
  type OverridableBuilder,
  suppliedTokens,
  testK8sAuth,
  type TestK8sAuthOptions,
} from './application/test-k8s-auth.js';
export {
  asAnonymous,
  asCaller,
  asRefused,
  type TestCaller,
  type TestHeader,
} from './application/test-callers.js';
export { type SuppliedToken } from './application/test-token-source.js';
export { createTestPrincipal } from './test-principal.js';
export type { PrincipalFacts } from '../src/identity/principal.js';
export type { CertificateKind } from './local-cluster/server-certificates.js';
export type { EndpointName } from './local-cluster/endpoint.js';
export type { Fault, FaultRule, Faults } from './local-cluster/faults.js';
export type {
  InClusterMountOptions,
  KubeconfigOptions,
  LegacyTokenOptions,
  LocalClusterOptions,
  OutageKind,
  PodOptions,
  ProjectVolumeOptions,
  RotationOptions,
  TokenOptions,
} from './local-cluster/local-cluster.options.js';
export type { LoggedRequest, RequestFilter, RequestLog } from './local-cluster/request-log.js';
export type { Right, Subject } from './local-cluster/rights.js';
export type { Forgery } from './local-cluster/token-issuer.js';
export type { SigningAlgorithm } from './local-cluster/signing-keys.js';
export type { Clock } from '../src/util/clock.js';
