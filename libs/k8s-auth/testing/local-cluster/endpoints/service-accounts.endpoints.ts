import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { objectEndpoints } from './object.endpoints.js';

export function serviceAccountsEndpoints({ state }: ClusterParts): readonly Endpoint[] {
  return objectEndpoints({
    name: 'serviceaccounts',
    store: state.serviceAccounts,
    create: ({ name, namespace }) => state.createServiceAccount(namespace, name),
    delete: (name, namespace) => state.deleteServiceAccount(namespace, name),
  });
}
