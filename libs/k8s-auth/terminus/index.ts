// The entry `nest-k8s-auth/terminus`. It needs the optional package @nestjs/terminus, version 11 or 12.
export { K8sAuthHealthIndicator, type K8sAuthHealthOptions } from './k8s-auth.health-indicator.js';
