import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { objectEndpoints } from './object.endpoints.js';

/** A namespace comes with its default ServiceAccount and takes everything in it along when it goes. */
export function namespacesEndpoints({ state }: ClusterParts): readonly Endpoint[] {
  return objectEndpoints({
    name: 'namespaces',
    store: state.namespaces,
    create: ({ name }) => state.createNamespace(name),
    delete: (name) => state.deleteNamespace(name),
  });
}
