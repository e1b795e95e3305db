import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { accessReviewEndpoint } from './access-review.endpoint.js';
import { apisEndpoints } from './apis.endpoints.js';
import { discoveryEndpoint } from './discovery.endpoint.js';
import { healthEndpoints } from './health.endpoints.js';
import { jwksEndpoint } from './jwks.endpoint.js';
import { namespacesEndpoints } from './namespaces.endpoints.js';
import { podsEndpoints } from './pods.endpoints.js';
import { serviceAccountsEndpoints } from './service-accounts.endpoints.js';
import { tokenRequestEndpoint } from './token-request.endpoint.js';
import { tokenReviewEndpoint } from './token-review.endpoint.js';

/** All endpoints of the local API server. */
export function createEndpoints(parts: ClusterParts): readonly Endpoint[] {
  return [
    tokenReviewEndpoint(parts),
    tokenRequestEndpoint(parts),
    discoveryEndpoint(parts),
    jwksEndpoint(parts),
    accessReviewEndpoint(parts),
    ...namespacesEndpoints(parts),
    ...serviceAccountsEndpoints(parts),
    ...podsEndpoints(parts),
    ...apisEndpoints(),
    ...healthEndpoints(),
  ];
}
