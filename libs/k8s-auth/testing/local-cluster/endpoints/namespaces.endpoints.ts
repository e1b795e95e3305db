import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { objectEndpoints } from './object.endpoints.js';

/** Creating a namespace creates its default ServiceAccount. Deleting it deletes everything in it. */
export function namespacesEndpoints({ state }: ClusterParts): readonly Endpoint[] {
  return objectEndpoints({
    name: 'namespaces',
    store: state.namespaces,
    create: ({ name }) => state.createNamespace(name),
    delete: (name) => state.deleteNamespace(name),
  });
}
