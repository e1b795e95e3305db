// The entry `nest-k8s-auth/prometheus`. It needs the optional package prom-client.
export { K8sAuthPrometheusModule, type K8sAuthPrometheusOptions } from './k8s-auth-prometheus.module.js';
