// The entry `nest-k8s-auth/opentelemetry`. It needs the optional package @opentelemetry/api.
export { K8sAuthTracingModule } from './k8s-auth-tracing.module.js';
