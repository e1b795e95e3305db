import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { stringMember } from '../request-body.js';
import { objectEndpoints } from './object.endpoints.js';

/** Pods do not run containers; tokens are bound to them. A deleted pod is removed at once. */
export function podsEndpoints({ state }: ClusterParts): readonly Endpoint[] {
  return objectEndpoints({
    name: 'pods',
    store: state.pods,
    create: ({ name, namespace, spec }) =>
      state.createPod({
        namespace,
        name,
        serviceAccount: stringMember(spec, 'serviceAccountName') || undefined,
        node: stringMember(spec, 'nodeName') || undefined,
      }),
    delete: (name, namespace) => state.pods.delete(name, namespace),
  });
}
